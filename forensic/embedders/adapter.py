"""Sketch encoders: networks that put a sketch where a frozen embedder puts the photo.

An adapter belongs to one embedder, known by the SHA-256 of its weights. Galleries keep the
vectors they have; only sketches go through the adapter.

Source:
    The design of a small trained part for the sketch beside a frozen face network follows George,
    Mohammadi, Marcel: Prepended Domain Transformer, IEEE TIFS 2022. Here the whole copy of the
    network is trained, so that nothing needs to fit in front of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from forensic.embedders.embedder import Embedder, check_faces, unit_rows
from forensic.embedders.facenet import FaceNetNetwork
from forensic.embedders.graph import GraphNetwork
from forensic.embedders.sketchface import SketchFace, fold_norms
from forensic.errors import MissingWeights, WeightsError
from forensic.files import sha256_of_file
from forensic.images.tensors import images_to_tensor
from forensic.layers.memory import to_channels_last
from forensic.registry import Registry
from forensic.values import Vectors
from forensic.weights.bundle import load_bundle, read_bundle_metadata
from forensic.weights.store import BUNDLED, find_weights

NETWORKS: Registry[Callable[..., nn.Module]] = Registry(
    "sketch encoder",
    {"graph": GraphNetwork, "sketchface": SketchFace, "facenet": FaceNetNetwork},
)
"""Architectures of sketch encoders; each takes faces (B, 3, H, W) in [0, 1] to (B, dimension)."""

BATCH = 64


@dataclass(frozen=True)
class AdapterConfig:
    """What a bundle of an adapter says of itself.

    Attributes:
        network: A name of `NETWORKS`.
        arguments: Of the network's constructor.
        template: Geometry of the sketches, a name in `forensic.faces.align.TEMPLATES`.
        dimension: Length of a vector.
        embedder: Name of the embedder into whose space it leads.
        embedder_weights_sha256: SHA-256 of that embedder's weights.
    """

    network: str
    arguments: dict[str, Any]
    template: str
    dimension: int
    embedder: str
    embedder_weights_sha256: str

    def as_json(self) -> dict[str, Any]:
        """Return the fields for `save_bundle`."""
        return asdict(self)

    def build(self) -> nn.Module:
        """Return the network with random weights."""
        return NETWORKS[self.network](**self.arguments)


class SketchAdapter:
    """A trained sketch encoder: the vectors of sketch and mirror image, added.

    Args:
        weights_path: A bundle of a network of `NETWORKS` with an `AdapterConfig`.
        device: Where to compute.
        dtype: Arithmetic, if not bfloat16 on a CPU and float16 on CUDA.

    Attributes:
        config: What the bundle says of itself.
        weights_sha256: SHA-256 of the file.

    Raises:
        WeightsError: The file is missing, or not such a bundle.
    """

    def __init__(
        self, *, weights_path: Path, device: torch.device, dtype: torch.dtype | None = None
    ) -> None:
        self.config, network = load_adapter_network(weights_path)
        self.weights_sha256 = sha256_of_file(weights_path)
        self._device = device
        self._dtype = dtype or (torch.float16 if device.type == "cuda" else torch.bfloat16)
        self._network = to_channels_last(fold_norms(network).to(self._dtype), device)

    def check_embedder(self, embedder: Embedder) -> None:
        """Refuse to work beside any other embedder than the adapter's own.

        Raises:
            WeightsError: It is another one.
        """
        if embedder.weights_sha256 != self.config.embedder_weights_sha256:
            raise WeightsError(
                f"The adapter leads into the space of {self.config.embedder} "
                f"({self.config.embedder_weights_sha256[:12]}…), but the gallery is embedded with "
                f"{embedder.name} ({embedder.weights_sha256[:12]}…). Train an adapter for it with "
                "`forensic train adapter --embedder`."
            )

    def embed(self, sketches: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows for sketches (B, H, W, 3) uint8 in `config.template`.

        Raises:
            ShapeError: The sketches are not in that geometry.
            DtypeError: The sketches are not uint8.
            RangeError: The network gave no direction for a sketch.
        """
        check_faces(sketches, self.config.template)
        rows = [np.zeros((0, self.config.dimension), dtype=np.float32)]
        for first in range(0, len(sketches), BATCH):
            batch = images_to_tensor(sketches[first : first + BATCH]).to(self._device, self._dtype)
            with torch.inference_mode():
                plain, mirrored = self._network(batch), self._network(batch.flip(3))
                both = F.normalize(plain.float()) + F.normalize(mirrored.float())
            rows.append(unit_rows(both.cpu().numpy()))
        return np.concatenate(rows)


def load_adapter_network(path: Path) -> tuple[AdapterConfig, nn.Module]:
    """Return the configuration and the network of a bundle, ready for inference.

    Raises:
        WeightsError: The file is missing, or not the bundle of an adapter.
    """
    fields, state = load_bundle(path)
    try:
        config = AdapterConfig(**fields)
        network = config.build()
        network.load_state_dict(state)
    except (TypeError, RuntimeError, KeyError) as error:
        raise WeightsError(f"{path} does not hold an adapter: {error}") from error
    return config, network.eval().requires_grad_(False)


def find_adapter(embedder: Embedder, *, folder: Path | None = None) -> Path | None:
    """Return the file of an embedder's adapter, or None.

    Bundled files are looked at first, then `adapter*.safetensors` in the folder of fetched
    weights; what counts is which embedder a file says it belongs to.

    Raises:
        WeightsError: A file there is damaged.
        HashMismatch: A bundled file is not the one that the catalogue records.
    """
    places = [BUNDLED] if folder is None else [BUNDLED, folder]
    for path in (p for place in places for p in sorted(place.glob("adapter*.safetensors"))):
        config = json.loads(read_bundle_metadata(path).get("config", "{}"))
        if config.get("embedder_weights_sha256") == embedder.weights_sha256:
            return find_weights(path.stem) if path.parent == BUNDLED else path
    return None


def load_adapter(
    embedder: Embedder, *, device: torch.device, folder: Path | None = None
) -> SketchAdapter:
    """Return the adapter of an embedder.

    Args:
        embedder: The gallery's.
        device: Where to compute.
        folder: Folder of fetched weights; without it only bundled adapters are found.

    Raises:
        MissingWeights: There is none; the message says what makes one.
        WeightsError: The file is damaged or belongs to another embedder.
    """
    path = find_adapter(embedder, folder=folder)
    if path is None:
        raise MissingWeights(
            f"There is no adapter for the embedder {embedder.name}. Train one with `forensic "
            "train adapter --embedder` and put its adapter*.safetensors into the folder of "
            f"weights{f' {folder}' if folder else ''}."
        )
    adapter = SketchAdapter(weights_path=path, device=device)
    adapter.check_embedder(embedder)
    return adapter
