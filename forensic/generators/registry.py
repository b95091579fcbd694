"""The tables of generator networks and of trained generators, and how one is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from forensic.errors import WeightsError
from forensic.files import sha256_of_file
from forensic.generators.csi import CSI
from forensic.layers.memory import to_channels_last
from forensic.registry import Registry
from forensic.weights.bundle import load_bundle, read_bundle_metadata
from forensic.weights.store import find_weights

NETWORKS: Registry[type[CSI]] = Registry("generator network", {"csi": CSI})
"""Architectures by name."""

GENERATORS: Registry[str] = Registry(
    "generator", {"csi-line": "csi", "csi-grayscale": "csi", "csi-color": "csi"}
)
"""Trained generators: the catalogue's name of the weights to the name of the network."""


@dataclass(frozen=True)
class LoadedGenerator:
    """A trained generator, ready for inference.

    Attributes:
        name: Its name in `GENERATORS`.
        network: Takes (B, C, H, W) sketches in [0, 1] to (B, 3, H, W) photos in [0, 1].
        style: The sketch style it was trained on, a name in `SKETCH_STYLES`.
        weights_sha256: Hash of the file it was read from.
    """

    name: str
    network: nn.Module
    style: str
    weights_sha256: str


def create_generator(name: str, **options: Any) -> nn.Module:
    """Return an untrained network.

    Args:
        name: A name in `NETWORKS`.
        options: Keyword arguments of its constructor.

    Raises:
        UnknownNameError: No such network.
    """
    return NETWORKS[name](**options)


def load_generator(name: str, device: torch.device) -> LoadedGenerator:
    """Return a trained generator in evaluation mode.

    Args:
        name: A name in `GENERATORS`.
        device: Where it should compute.

    Raises:
        UnknownNameError: No such generator.
        MissingWeights: Its weights are not on this machine.
        HashMismatch: The file is not the one that the catalogue records.
        WeightsError: The file does not fit the network, or does not name its sketch style.
    """
    network_name = GENERATORS[name]
    path = find_weights(name)
    config, state = load_bundle(path)
    try:
        network = create_generator(network_name, **config)
        network.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        raise WeightsError(f"{path} does not fit the network {network_name!r}: {error}") from error
    network.eval().requires_grad_(False)
    style = read_bundle_metadata(path).get("style")
    if style is None:
        raise WeightsError(f"{path} does not say which sketch style it was trained on.")
    return LoadedGenerator(name, to_channels_last(network, device), style, sha256_of_file(path))
