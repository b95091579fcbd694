"""VGG files of both kinds with random numbers in them: no foreign weight is in the repository."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from forensic.backbones.vgg19 import VGG19Features

WIDTHS = (3, 64, 64, 128, 128)


def _layers(names: tuple[str, ...], seed: int) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    state = {}
    for name, wide_in, wide_out in zip(names, WIDTHS, WIDTHS[1:], strict=False):
        kernel = torch.randn(wide_out, wide_in, 3, 3, generator=draw)
        state[f"{name}.weight"] = kernel * (2 / (9 * wide_in)) ** 0.5
        state[f"{name}.bias"] = torch.randn(wide_out, generator=draw) / 10
    return state


def torchvision_state(seed: int = 0) -> dict[str, Tensor]:
    """Return the first convolutions of a VGG-16 under torchvision's names, and one layer more."""
    state = _layers(("features.0", "features.2", "features.5", "features.7"), seed)
    return state | {"classifier.6.bias": torch.zeros(1000)}


def normalised_state(seed: int = 0) -> dict[str, Tensor]:
    """Return the first convolutions of a channel-normalised VGG-19, and one layer more."""
    state = _layers(("conv1_1", "conv1_2", "conv2_1", "conv2_2"), seed)
    draw = torch.Generator().manual_seed(seed + 1)
    first = {
        "conv0.weight": torch.randn(3, 3, 1, 1, generator=draw),
        "conv0.bias": torch.randn(3, generator=draw),
    }
    return first | state | {"conv3_1.bias": torch.zeros(256)}


def write_vgg(path: Path) -> Path:
    """Write a normalised VGG-19 of random numbers as safetensors."""
    save_file(normalised_state(), path)
    return path


def write_vgg19(path: Path) -> Path:
    """Write the same with the whole of conv3_1, as far as the stand-in reaches."""
    torch.manual_seed(0)
    network = VGG19Features(name="", n_blocks=3, padding="reflect")
    state = {n.removeprefix("convolutions."): v for n, v in network.state_dict().items()}
    save_file(state, path)
    return path
