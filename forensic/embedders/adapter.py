"""Sketch encoders: networks that put a sketch where a frozen embedder puts the photo.

An adapter belongs to one embedder, known by the SHA-256 of its weights. A gallery may keep the
vectors it has, so that only sketches go through the adapter, or be drawn (`drawn.py`); one embedder
may have an adapter for each of these two. Its file holds how every weight differs from the
embedder's own, so it works only beside that embedder's file, and passes on nothing of a network
whose terms forbid it.

Source:
    The design of a small trained part for the sketch beside a frozen face network follows George,
    Mohammadi, Marcel: Prepended Domain Transformer, IEEE TIFS 2022. Here the whole copy of the
    network is trained, so that nothing needs to fit in front of it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from forensic.embedders.embedder import Embedder, TrainableEmbedder, check_faces, unit_rows
from forensic.embedders.sketchface import fold_norms
from forensic.errors import WeightsError
from forensic.files import sha256_of_file
from forensic.images.tensors import images_to_tensor
from forensic.layers.memory import to_channels_last
from forensic.values import Vectors
from forensic.weights.bundle import load_bundle

ADAPTER = "adapter"
"""What the way through a sketch encoder is called, among methods and in results."""

BATCH = 16
SHIFT = 3
"""Pixels by which a sketch is moved in its frame, for another look at it."""


@dataclass(frozen=True)
class AdapterConfig:
    """What a bundle of an adapter says of itself.

    Attributes:
        network: Architecture of adapter and embedder, as `TrainableEmbedder.copy_network` says.
        arguments: Of the network's constructor.
        template: Geometry of the sketches, a name in `forensic.faces.align.TEMPLATES`.
        dimension: Length of a vector.
        embedder: Name of the embedder into whose space it leads.
        embedder_weights_sha256: SHA-256 of that embedder's weights.
        drawn: Whether it leads to the photos of a drawn gallery, not to photos as they are.
    """

    network: str
    arguments: dict[str, Any]
    template: str
    dimension: int
    embedder: str
    embedder_weights_sha256: str
    drawn: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the fields for `save_bundle`."""
        return asdict(self)


class SketchEncoder(Protocol):
    """Puts sketches where an embedder puts the photos.

    Attributes:
        weights_sha256: SHA-256 of each file used, by name.
    """

    weights_sha256: dict[str, str]

    def embed(self, sketches: NDArray[np.uint8], *, moved: bool = True) -> Vectors:
        """Return (B, D) unit rows for sketches (B, H, W, 3) uint8 in the embedder's geometry.

        Args:
            sketches: What is encoded.
            moved: Look at each moved to four sides as well, which costs five times as much.
        """


class SketchAdapter:
    """A trained sketch encoder: the vectors of ten looks at a sketch, added.

    It is looked at as it lies and moved by `SHIFT` pixels to each side, as it is and mirrored:
    how well landmarks sit in a drawing of a new hand is uncertain.

    Args:
        weights_path: A bundle of differences from the embedder's weights, with an `AdapterConfig`.
        embedder: The one it was trained for.
        device: Where to compute.
        dtype: Arithmetic, if not bfloat16 on a CPU and float16 on CUDA.

    Attributes:
        config: What the bundle says of itself.
        weights_sha256: SHA-256 of the file, as `adapter`.

    Raises:
        WeightsError: The file is missing or not such a bundle, or belongs to another embedder.
    """

    def __init__(
        self,
        *,
        weights_path: Path,
        embedder: Embedder,
        device: torch.device,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.config, network = load_adapter_network(weights_path, embedder)
        self.weights_sha256 = {ADAPTER: sha256_of_file(weights_path)}
        self._device = device
        self._dtype = dtype or (torch.float16 if device.type == "cuda" else torch.bfloat16)
        self._network = to_channels_last(fold_norms(network).to(self._dtype), device)

    def embed(self, sketches: NDArray[np.uint8], *, moved: bool = True) -> Vectors:
        """Return (B, dimension) unit rows for sketches (B, H, W, 3) uint8 in `config.template`.

        Args:
            sketches: What is encoded.
            moved: Look at each moved to four sides as well.

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
                looks = F.normalize(self._network(looks_at(batch, moved=moved)).float())
            added = looks.unflatten(0, (-1, len(batch))).sum(0)
            rows.append(unit_rows(added.cpu().numpy()))
        return np.concatenate(rows)


def looks_at(batch: Tensor, *, moved: bool = True) -> Tensor:
    """Return (10·B, C, H, W): the batch as it is and moved four ways, then all of it mirrored.

    Args:
        batch: (B, C, H, W). What moves in from outside repeats the edge.
        moved: Without it (2·B, C, H, W), the batch as it is and mirrored.
    """
    if not moved:
        return torch.cat([batch, batch.flip(3)])
    height, width = batch.shape[2:]
    wide = F.pad(batch, (SHIFT,) * 4, mode="replicate")
    corners = [(SHIFT, SHIFT), (0, SHIFT), (2 * SHIFT, SHIFT), (SHIFT, 0), (SHIFT, 2 * SHIFT)]
    looks = torch.cat([wide[:, :, y : y + height, x : x + width] for y, x in corners])
    return torch.cat([looks, looks.flip(3)])


def load_adapter_network(path: Path, embedder: Embedder) -> tuple[AdapterConfig, nn.Module]:
    """Return the configuration of a bundle, and the embedder's network changed by it.

    Raises:
        WeightsError: The file is missing or not the bundle of an adapter, or belongs to another
            embedder.
    """
    fields, differences = load_bundle(path)
    try:
        config = AdapterConfig(**fields)
        network = _copy_network(config, embedder)
        start = network.state_dict()
        network.load_state_dict({n: t + start[n] for n, t in differences.items()})
    except (TypeError, RuntimeError, KeyError) as error:
        raise WeightsError(f"{path} does not hold an adapter: {error}") from error
    return config, network.eval().requires_grad_(False)


def _copy_network(config: AdapterConfig, embedder: Embedder) -> nn.Module:
    """Return the network from which an adapter differs.

    Raises:
        WeightsError: The adapter belongs to another embedder.
    """
    if embedder.weights_sha256 != config.embedder_weights_sha256:
        raise WeightsError(
            f"The adapter leads into the space of {config.embedder} "
            f"({config.embedder_weights_sha256[:12]}…), but the gallery is embedded with "
            f"{embedder.name} ({embedder.weights_sha256[:12]}…). Train an adapter for it with "
            "`forensic train adapter --embedder`."
        )
    if not isinstance(embedder, TrainableEmbedder):
        raise WeightsError(f"The network of {embedder.name} cannot be read, so nor its adapter.")
    architecture, arguments, network = embedder.copy_network()
    if (architecture, arguments) != (config.network, config.arguments):
        raise WeightsError(
            f"{embedder.name} is read as another network now than when its adapter was trained: "
            "another mean, scale or order of channels in its description, or another version of "
            "forensic. Use the description of that time, or train the adapter again."
        )
    return network


def subtract_start(trained: nn.Module, start: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy of a network, on the CPU, whose state is what training changed.

    Args:
        trained: A network that began as `start`.
        start: State of the embedder's own network.
    """
    differences = copy.deepcopy(trained).cpu()
    changed = {name: tensor - start[name] for name, tensor in differences.state_dict().items()}
    differences.load_state_dict(changed)
    return differences
