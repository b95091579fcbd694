"""Pre-activation features of VGG-19 at several depths, the ruler of Cali-Sketch and its kin.

torchvision's VGG-19 (`forensic weights fetch vgg19`) reaches conv5_1. The channel-normalised
VGG-19 that stands in for it ends with conv3_1; results carry `VGG19Features.name`, which says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from forensic.backbones.files import read_tensors
from forensic.backbones.vgg import IMAGENET_MEAN, IMAGENET_STD
from forensic.check import check_shape
from forensic.errors import WeightsError

DEPTHS = (2, 2, 4, 4, 1)
"""Convolutions of each block, the last block up to conv5_1."""

WIDTHS = (64, 128, 256, 512, 512)
NAMES = [f"conv{b}_{i}" for b, n in enumerate(DEPTHS, 1) for i in range(1, n + 1)]
TORCHVISION_NAMES = ("0", "2", "5", "7", "10", "12", "14", "16", "19", "21", "23", "25", "28")


class VGG19Features(nn.Module):
    """Features before activation of the first convolution of each block of a frozen VGG-19.

    Args:
        name: What the features are called in results.
        n_blocks: Blocks that are there, 5 for the whole network.
        padding: `zeros` (torchvision) or `reflect` (the normalised VGG-19).
    """

    def __init__(self, *, name: str, n_blocks: int, padding: Literal["zeros", "reflect"]) -> None:
        super().__init__()
        self.name, self.n_blocks = name, n_blocks
        self.convolutions = nn.ModuleDict({"conv0": nn.Conv2d(3, 3, 1)})
        channels = 3
        for layer in _layers_of(n_blocks):
            width = WIDTHS[int(layer[4]) - 1]
            self.convolutions[layer] = nn.Conv2d(
                channels, width, 3, padding=1, padding_mode=padding
            )
            channels = width
        self.requires_grad_(False)
        self.eval()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return conv1_1, conv2_1, … of RGB images (B, 3, H, W) in [0, 1], finest first.

        Raises:
            ShapeError: The images are not (B, 3, H, W).
        """
        check_shape(images, (None, 3, None, None), name="image batch")
        features: list[Tensor] = []
        hidden = self.convolutions["conv0"](images)
        for layer in _layers_of(self.n_blocks):
            is_first = layer.endswith("_1")
            if is_first and features:
                hidden = F.max_pool2d(hidden, 2)
            hidden = self.convolutions[layer](hidden)
            if is_first:
                features.append(hidden)
            hidden = F.relu(hidden)
        return features


def load_vgg19_features(path: Path) -> VGG19Features:
    """Read the features from torchvision's VGG-19 (.pth) or the normalised VGG-19.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: The file is not one of the two networks.
    """
    remedy = "Run `forensic weights fetch vgg19`, or pass its path with --set options.vgg=PATH."
    state = read_tensors(path, remedy=remedy)
    wanted: dict[str, Tensor]
    if "conv0.weight" in state:
        vgg = VGG19Features(
            name="vgg19-normalised conv1_1 to conv3_1 (stand-in)", n_blocks=3, padding="reflect"
        )
        wanted = {
            f"convolutions.{layer}.{part}": state[f"{layer}.{part}"]
            for layer in ("conv0", *_layers_of(3))
            for part in ("weight", "bias")
            if f"{layer}.{part}" in state
        }
    elif "features.34.weight" in state:
        vgg = VGG19Features(
            name="vgg19 conv1_1 to conv5_1 (torchvision)", n_blocks=5, padding="zeros"
        )
        deviation = torch.tensor(IMAGENET_STD)
        wanted = {
            "convolutions.conv0.weight": torch.diag(1 / deviation)[:, :, None, None],
            "convolutions.conv0.bias": -torch.tensor(IMAGENET_MEAN) / deviation,
        }
        wanted |= {
            f"convolutions.{ours}.{part}": state[f"features.{theirs}.{part}"]
            for ours, theirs in zip(NAMES, TORCHVISION_NAMES, strict=True)
            for part in ("weight", "bias")
            if f"features.{theirs}.{part}" in state
        }
    else:
        raise WeightsError(f"{path} holds neither torchvision's VGG-19 nor the normalised VGG-19.")
    try:
        vgg.load_state_dict({name: value.float() for name, value in wanted.items()})
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit VGG-19: {error}") from error
    return vgg


def _layers_of(n_blocks: int) -> Sequence[str]:
    """Return the names of the convolutions up to the first one of the last block."""
    return NAMES[: NAMES.index(f"conv{n_blocks}_1") + 1]
