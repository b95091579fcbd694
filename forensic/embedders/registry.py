"""The table of embedders.

An embedder is asked for by a name of the table, by the path of a TOML file that describes an
ONNX network (`model.toml`, `onnx:model.toml`, or `model.onnx` with `model.toml` beside it), or
as `kind:path` with a weights file of the user's own (`facenet:weights.pt`,
`sketchface:weights.safetensors`). An ONNX network whose TOML file lies in the folder of fetched
weights is known by the name that the file gives it as well. Several, joined by `+`, are one
(`model.toml+sketchface`), and `drawn:` before all of it draws the gallery (`drawn:sketchface`);
`plain:` says that photos shall stay as they are, where `best` would have had them drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from forensic.embedders.drawn import DrawnEmbedder
from forensic.embedders.embedder import Embedder, TrainableEmbedder
from forensic.embedders.encoders import load_adapter
from forensic.embedders.facenet import FaceNetEmbedder
from forensic.embedders.joint import JointEmbedder
from forensic.embedders.onnx import OnnxEmbedder, load_onnx_description
from forensic.embedders.sketchface import SketchFaceEmbedder
from forensic.errors import MissingWeights, UnknownNameError
from forensic.registry import Registry
from forensic.weights.embedders import DRAWN, JOIN, PLAIN
from forensic.weights.fusions import BEST, find_fusion
from forensic.weights.store import find_weights

Builder = Callable[[Path, torch.device, str], TrainableEmbedder]


def _facenet(path: Path, device: torch.device, name: str) -> TrainableEmbedder:
    return FaceNetEmbedder(weights_path=path, device=device, name=name)


def _sketchface(path: Path, device: torch.device, name: str) -> TrainableEmbedder:
    del name  # the bundle is ours, and so is its name
    return SketchFaceEmbedder(weights_path=path, device=device)


def _onnx(path: Path, device: torch.device, name: str) -> TrainableEmbedder:
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
        name_or_path: A name of `EMBEDDERS`, a path that ends in `.toml`, `kind:path`, or several
            of these joined by `+` (a `+` in a path is taken for a join as well); before all of
            it, `drawn:` or `plain:`.
        device: Where to compute.
        weights: Folder of fetched weights; bundled ones are found without it.

    Raises:
        UnknownNameError: Neither a name nor a path of a known kind.
        MissingWeights: A file is not there; the message says what brings it.
        WeightsError: A file cannot be used, among others because its hash is wrong.
        RecipeError: A TOML description is malformed.
        DeviceError: The device cannot be used by this embedder.
        InputError: Those joined have different geometries, or are the same.
    """
    if name_or_path.startswith(DRAWN):
        plain = create_embedder(name_or_path.removeprefix(DRAWN), device=device, weights=weights)
        encoder = load_adapter(plain, device=device, drawn=True, folder=weights)
        return DrawnEmbedder(embedder=plain, encoder=encoder)
    names = name_or_path.removeprefix(PLAIN).split(JOIN)
    if len(names) > 1:
        parts = [create_embedder(name, device=device, weights=weights) for name in names]
        return JointEmbedder(parts)
    kind, path, name = locate_embedder(names[0], weights=weights)
    return KINDS[kind](path, device, name)


def choose_gallery_embedder(
    name_or_path: str, methods: Iterable[str], *, weights: Path | None = None
) -> str:
    """Return by which embedder a new gallery is best searched with some methods.

    `best` finds more people in a drawn gallery. It is drawn if a fusion was fitted for that.

    Args:
        name_or_path: As for `create_embedder`; with `drawn:` or `plain:` it stays as it is.
        methods: Names of the ways from sketch to vector.
        weights: Folder of fetched weights; bundled ones are found without it.

    Raises:
        WeightsError: A file cannot be used, among others because a fusion is damaged.
        RecipeError: A TOML description is malformed.
        DeviceError: The embedder cannot be used on a CPU.
        InputError: Those joined have different geometries, or are the same.
    """
    if BEST not in methods or name_or_path.startswith((DRAWN, PLAIN)):
        return name_or_path
    device = torch.device("cpu")
    try:
        drawn = create_embedder(f"{DRAWN}{name_or_path}", device=device, weights=weights)
        find_fusion(drawn.name, drawn.weights_sha256, folder=weights)
    except (MissingWeights, UnknownNameError):
        return name_or_path  # nothing to draw with; what is wrong shows where it is used
    return f"{DRAWN}{name_or_path}"


def locate_embedder(name_or_path: str, *, weights: Path | None = None) -> tuple[str, Path, str]:
    """Return an embedder's kind, the file it is built from, and what results call it.

    Args:
        name_or_path: As for `create_embedder`, of a single one.
        weights: Folder of fetched weights; bundled ones are found without it.

    Raises:
        UnknownNameError: Neither a name nor a path of a known kind.
        MissingWeights: A file is not there; the message says what brings it.
        WeightsError: The hash of a catalogued file is wrong.
    """
    kind, colon, rest = name_or_path.partition(":")
    if colon and kind in KINDS:
        path = _existing(rest)
        return kind, path, f"{kind}:{path.name}"
    if name_or_path.endswith(".toml"):
        return "onnx", _existing(name_or_path), name_or_path
    if name_or_path.endswith(".onnx"):
        return "onnx", _description_beside(_existing(name_or_path)), name_or_path
    described = _described(name_or_path, weights)
    if described:
        return "onnx", described, name_or_path
    builder, weights_name = EMBEDDERS[name_or_path]
    kind = next(name for name, known in KINDS.items() if known is builder)
    return kind, find_weights(weights_name, folder=weights), weights_name


def _described(name: str, weights: Path | None) -> Path | None:
    """Return the TOML file among the fetched weights that describes an ONNX network of this name.

    Raises:
        RecipeError: A TOML file there is malformed.
    """
    if weights is None or name in EMBEDDERS:
        return None
    found = sorted(weights.glob("*.toml"))
    return next((path for path in found if load_onnx_description(path).name == name), None)


def _description_beside(model: Path) -> Path:
    path = model.with_suffix(".toml")
    if not path.is_file():
        raise MissingWeights(
            f"{model} needs a description: write {path.name} beside it (template, mean, scale, "
            "order of channels; see forensic/embedders/onnx.py)."
        )
    return path


def _existing(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise MissingWeights(f"There is no file {path}. Check the path of the embedder.")
    return path
