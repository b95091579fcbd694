"""The tables of generator networks and of trained generators, and how one is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from forensic.errors import MissingWeights, WeightsError
from forensic.files import sha256_of_file
from forensic.generators.autoencoders import ConvAutoencoder, SparseAutoencoder, VGGAutoencoder
from forensic.generators.cali_sketch import CaliSketch
from forensic.generators.csi import CSI
from forensic.generators.deepfacepencil.generators import DeepFacePencil, GlobalGenerator
from forensic.generators.fcn import FCN
from forensic.generators.mirrored import MIRRORED, Mirrored
from forensic.generators.pix2pix import UNet
from forensic.images.frame import Frame, create_frame
from forensic.layers.memory import to_channels_last
from forensic.registry import Registry
from forensic.weights.bundle import load_bundle, read_bundle_metadata
from forensic.weights.store import find_weights

SKETCH_TO_PHOTO, PHOTO_TO_SKETCH = "sketch-to-photo", "photo-to-sketch"

NETWORKS: Registry[Callable[..., nn.Module]] = Registry(
    "generator network",
    {
        "cali-sketch": CaliSketch,
        "conv-autoencoder": ConvAutoencoder,
        "csi": CSI,
        "deepfacepencil": DeepFacePencil,
        "fcn": FCN,
        "pix2pix": UNet,
        "pix2pixhd-global": GlobalGenerator,
        "sparse-autoencoder": SparseAutoencoder,
        "vgg-autoencoder": VGGAutoencoder,
    },
)
"""Architectures by name. Each takes (B, C, H, W) in [0, 1] to pictures in [0, 1], and its `config`
rebuilds it."""

GENERATORS: Registry[str] = Registry(
    "generator",
    {
        "csi-line": "csi",
        "csi-grayscale": "csi",
        "csi-color": "csi",
        "csi-grayscale-identity": "csi",
        "csi-color-identity": "csi",
        "cali-sketch-128-narrow": "cali-sketch",
        "deepfacepencil-128-narrow": "deepfacepencil",
        "fcn-medium": "fcn",
        "fcn-sr": "fcn",
        "study-conv-s2f-128-disjoint": "conv-autoencoder",
    },
)
"""Trained generators: the catalogue's name of the weights to the name of the network."""


@dataclass(frozen=True)
class LoadedGenerator:
    """A trained generator, ready for inference.

    Attributes:
        name: Its name in `GENERATORS`, or the file's name without suffix.
        network: Takes (B, C, H, W) pictures in [0, 1] to pictures in [0, 1].
        style: The kind of sketch it was trained on: a name in `SKETCH_STYLES`, or `drawing` for
            sketches by people.
        weights_sha256: Hash of the file it was read from.
        direction: `sketch-to-photo` or `photo-to-sketch`.
        geometry: How its training faces were aligned, a name in `TEMPLATES`.
        frame: Crop and size of its input within that geometry.
    """

    name: str
    network: nn.Module
    style: str
    weights_sha256: str
    direction: str = SKETCH_TO_PHOTO
    geometry: str = "csi-96"
    frame: Frame = field(default_factory=Frame)

    @property
    def source_kind(self) -> Literal["photo", "sketch"]:
        """What it is given."""
        return "photo" if self.direction == PHOTO_TO_SKETCH else "sketch"


def create_generator(name: str, **options: Any) -> nn.Module:
    """Return an untrained network.

    Args:
        name: A name in `NETWORKS`.
        options: Keyword arguments of its constructor.

    Raises:
        UnknownNameError: No such network.
    """
    return NETWORKS[name](**options)


def find_network_name(network: nn.Module) -> str | None:
    """Return what `NETWORKS` calls the class of a network, None for one that is no generator."""
    return next((name for name, kind in NETWORKS.items() if kind is type(network)), None)


def load_generator(name: str, device: torch.device) -> LoadedGenerator:
    """Return a trained generator in evaluation mode.

    Args:
        name: A name in `GENERATORS`, or the path of a `.safetensors` file of `forensic train`,
            which says itself what it is.
        device: Where it should compute.

    Raises:
        UnknownNameError: No such generator.
        MissingWeights: Its weights are not on this machine.
        HashMismatch: The file is not the one that the catalogue records.
        WeightsError: The file does not fit the network, or does not name its network or style.
    """
    path = Path(name)
    if path.suffix == ".safetensors":
        if not path.is_file():
            raise MissingWeights(f"{path} is not there. `forensic train` writes such files.")
        facts = read_bundle_metadata(path)
        network_name, label = facts.get("network"), path.stem
    else:
        network_name, label = GENERATORS[name], name
        path = find_weights(name)
        facts = read_bundle_metadata(path)
    if network_name is None or "style" not in facts:
        raise WeightsError(
            f"{path} does not say which network it is and which sketch style it saw."
        )
    network = _load_network(path, network_name)
    if MIRRORED in facts:
        network = Mirrored(network)
    return LoadedGenerator(
        label,
        to_channels_last(network.eval().requires_grad_(False), device),
        facts["style"],
        sha256_of_file(path),
        direction=facts.get("direction", SKETCH_TO_PHOTO),
        geometry=facts.get("geometry", "csi-96"),
        frame=create_frame(**json.loads(facts["frame"])) if "frame" in facts else Frame(),
    )


def _load_network(path: Path, name: str) -> nn.Module:
    config, state = load_bundle(path)
    try:
        network = create_generator(name, **config)
        network.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        raise WeightsError(f"{path} does not fit the network {name!r}: {error}") from error
    return network
