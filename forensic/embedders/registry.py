"""The table of embedders.

An embedder is asked for by a name of the table, by the path of a TOML file that describes an
ONNX network (`model.toml` or `onnx:model.toml`), or as `kind:path` with a weights file of the
user's own (`facenet:weights.pt`, `sketchface:weights.safetensors`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from forensic.embedders.embedder import Embedder
from forensic.embedders.facenet import FaceNetEmbedder
from forensic.embedders.onnx import OnnxEmbedder
from forensic.embedders.sketchface import SketchFaceEmbedder
from forensic.errors import MissingWeights
from forensic.registry import Registry
from forensic.weights.store import find_weights

Builder = Callable[[Path, torch.device, str], Embedder]


def _facenet(path: Path, device: torch.device, name: str) -> Embedder:
    return FaceNetEmbedder(weights_path=path, device=device, name=name)


def _sketchface(path: Path, device: torch.device, name: str) -> Embedder:
    del name  # the bundle is ours, and so is its name
    return SketchFaceEmbedder(weights_path=path, device=device)


def _onnx(path: Path, device: torch.device, name: str) -> Embedder:
    del name  # the description names it
    return OnnxEmbedder(description_path=path, device=device)


EMBEDDERS: Registry[tuple[Builder, str]] = Registry(
    "embedder",
    {
        "sketchface": (_sketchface, "sketchface"),
        "facenet": (_facenet, "facenet-vggface2"),
        "facenet-vggface2": (_facenet, "facenet-vggface2"),
        "facenet-casia-webface": (_facenet, "facenet-casia-webface"),
    },
)
"""Name to builder and the catalogue's name of its weights."""

KINDS: Registry[Builder] = Registry(
    "kind of embedder", {"facenet": _facenet, "sketchface": _sketchface, "onnx": _onnx}
)
"""What may stand before the colon of `kind:path`."""


def create_embedder(
    name_or_path: str, *, device: torch.device, weights: Path | None = None
) -> Embedder:
    """Return the embedder called so, with its weights loaded and checked.

    Args:
        name_or_path: A name of `EMBEDDERS`, a path that ends in `.toml`, or `kind:path`.
        device: Where to compute.
        weights: Folder of fetched weights; bundled ones are found without it.

    Raises:
        UnknownNameError: Neither a name nor a path of a known kind.
        MissingWeights: A file is not there; the message says what brings it.
        WeightsError: A file cannot be used, among others because its hash is wrong.
        RecipeError: A TOML description is malformed.
        DeviceError: The device cannot be used by this embedder.
    """
    kind, colon, rest = name_or_path.partition(":")
    if colon and kind in KINDS:
        path = _existing(rest)
        return KINDS[kind](path, device, f"{kind}:{path.name}")
    if name_or_path.endswith(".toml"):
        return _onnx(_existing(name_or_path), device, name_or_path)
    builder, weights_name = EMBEDDERS[name_or_path]
    return builder(find_weights(weights_name, folder=weights), device, weights_name)


def _existing(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise MissingWeights(f"There is no file {path}. Check the path of the embedder.")
    return path
