"""Trainable copies of embedders' networks: where the training of an adapter starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from forensic.embedders.adapter import AdapterConfig, load_adapter_network
from forensic.embedders.drawn import DrawnEmbedder
from forensic.embedders.embedder import Embedder, TrainableEmbedder
from forensic.embedders.encoders import require_adapter
from forensic.embedders.registry import create_embedder
from forensic.errors import WeightsError
from forensic.faces.align import TEMPLATES
from forensic.images.tensors import images_to_tensor

SAME = 0.999
"""Least cosine between an embedder's vector and that of the network read from its file."""


def start_network(
    name_or_path: str, *, weights: Path | None = None
) -> tuple[AdapterConfig, nn.Module]:
    """Return a trainable copy of an embedder's network, verified to give the same vectors.

    Args:
        name_or_path: As for `create_embedder`.
        weights: Folder of fetched weights; bundled ones are found without it.

    Raises:
        UnknownNameError: Neither a name nor a path of a known kind.
        MissingWeights: A file is not there; the message says what brings it.
        WeightsError: The network cannot be read as torch layers, or does not then give the
            embedder's vectors.
        RecipeError: A TOML description is malformed.
    """
    return _copy(create_embedder(name_or_path, device=torch.device("cpu"), weights=weights))


@dataclass(frozen=True)
class AdapterStart:
    """Where the training of an adapter begins.

    Attributes:
        config: What the adapter's file will say of itself.
        network: Trainable, in the state in which training begins.
        origin: State of the embedder's own network, from which the file will hold differences.
        teacher_weights_sha256: Of the embedder whose vectors of photos are the targets.
    """

    config: AdapterConfig
    network: nn.Module
    origin: dict[str, Tensor]
    teacher_weights_sha256: str


def start_adapter(name_or_path: str, *, weights: Path | None = None) -> AdapterStart:
    """Return where an adapter for an embedder begins: at its own network.

    For a drawn embedder it begins at the sketch encoder that draws the gallery, and leads to the
    drawn photos: another round of an adapter, for drawn galleries only.

    Args:
        name_or_path: As for `create_embedder`.
        weights: Folder of fetched weights; bundled ones are found without it.

    Raises:
        MissingWeights: As for `start_network`, or a drawn embedder has no adapter yet.
        UnknownNameError: As for `start_network`.
        WeightsError: As for `start_network`.
        RecipeError: As for `start_network`.
    """
    teacher = create_embedder(name_or_path, device=torch.device("cpu"), weights=weights)
    embedder = teacher.embedder if isinstance(teacher, DrawnEmbedder) else teacher
    config, network = _copy(embedder)
    origin = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    if teacher is not embedder:
        config = replace(config, drawn=True)
        earlier = require_adapter(embedder, drawn=True, folder=weights)
        network = load_adapter_network(earlier, embedder)[1].requires_grad_(True)
    return AdapterStart(config, network, origin, teacher.weights_sha256)


def _copy(embedder: Embedder) -> tuple[AdapterConfig, nn.Module]:
    if not isinstance(embedder, TrainableEmbedder):
        raise WeightsError(
            f"{embedder.name} has no network of its own that training could start from. Name its "
            "parts one by one."
        )
    architecture, arguments, network = embedder.copy_network()
    _check_same(embedder, network)
    config = AdapterConfig(
        network=architecture,
        arguments=arguments,
        template=embedder.template,
        dimension=embedder.dimension,
        embedder=embedder.name,
        embedder_weights_sha256=embedder.weights_sha256,
    )
    return config, network.requires_grad_(True)


def _check_same(embedder: Embedder, network: nn.Module) -> None:
    """Compare a network with the embedder it was read from, on faces of noise.

    An embedder may add the mirror image's vector, before or after scaling both to length 1.

    Raises:
        WeightsError: Their vectors differ.
    """
    size = TEMPLATES[embedder.template].size_hw
    faces = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    expected = torch.from_numpy(embedder.embed(faces))
    batch = images_to_tensor(faces)
    with torch.inference_mode():
        rows, mirrored = network(batch).float(), network(batch.flip(3)).float()
    candidates = (rows, rows + mirrored, _unit(rows) + _unit(mirrored))
    nearest = max(float((_unit(own) * expected).sum(1).min()) for own in candidates)
    if nearest < SAME:
        raise WeightsError(
            f"{embedder.name}: the network read from its file gives other vectors than the file "
            f"itself (cosine {nearest:.4f}). Check mean, scale and channels of its description."
        )


def _unit(rows: Tensor) -> Tensor:
    return nn.functional.normalize(rows)
