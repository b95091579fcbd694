"""A generator small enough for tests: random weights, fixed by a seed."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from forensic.generators.csi import CSI
from forensic.generators.fcn import FCN
from forensic.generators.registry import LoadedGenerator
from forensic.images.frame import Frame
from forensic.weights.bundle import save_bundle


def small_generator(*, style: str = "line", in_channels: int = 1) -> LoadedGenerator:
    """Return an untrained CSI network of 1/8 of the paper's width as if it had been trained."""
    torch.manual_seed(0)
    network = CSI(in_channels=in_channels, width=4, n_blocks=1).eval()
    return LoadedGenerator("small", network, style, "a" * 64)


def write_copying_fcn(path: Path, *, coordinates: bool = True, size: str = "sr") -> Path:
    """Write weights of a network that "draws" a photo by copying its green channel."""
    network = FCN(size=size, coordinates=coordinates)
    with torch.no_grad():
        for place, layer in enumerate(m for m in network.body if isinstance(m, nn.Conv2d)):
            layer.weight.zero_()
            centre = layer.kernel_size[0] // 2
            layer.weight[0, 1 if place == 0 else 0, centre, centre] = 1
    facts = {
        "network": "fcn",
        "style": "drawing",
        "direction": "photo-to-sketch",
        "geometry": "cufs-250",
        "frame": Frame((200, 155)).to_json(),
    }
    save_bundle(path, network.state_dict(), network.config, facts)
    return path
