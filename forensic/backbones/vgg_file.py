"""Copying the convolutions of a VGG file into another network's encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from forensic.backbones.vgg import IMAGENET_MEAN, IMAGENET_STD, read_vgg_file
from forensic.errors import WeightsError

TORCHVISION_VGG16 = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Where the thirteen convolutions of VGG-16 stand in torchvision's `features`."""

STAND_IN = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
"""The first five convolutions, which VGG-16 and the normalised VGG-19 have alike in shape."""


@dataclass(frozen=True)
class Copied:
    """What was copied, and which colours the copied layers expect.

    Attributes:
        n_layers: How many convolutions were filled, from the first on.
        matrix: (3, 3) from RGB in [0, 1] to the colours expected.
        shift: (3,) added after the matrix.
    """

    n_layers: int
    matrix: Tensor
    shift: Tensor


@torch.no_grad()
def copy_vgg(path: Path, convolutions: Sequence[nn.Conv2d]) -> Copied:
    """Fill 3×3 convolutions, first to last, from torchvision's VGG-16 or the normalised VGG-19.

    The VGG-19 file reaches as far as its fifth convolution; the others keep their random start.

    Args:
        path: The file.
        convolutions: The thirteen of VGG-16, in order.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It is neither of the two.
    """
    state = read_vgg_file(path)
    if "features.28.weight" in state:
        names = [f"features.{i}" for i in TORCHVISION_VGG16]
        deviation = torch.tensor(IMAGENET_STD)
        matrix, shift = torch.diag(1 / deviation), -torch.tensor(IMAGENET_MEAN) / deviation
    elif "conv0.weight" in state and "conv3_1.weight" in state:
        names = list(STAND_IN)
        matrix, shift = state["conv0.weight"].float()[:, :, 0, 0], state["conv0.bias"].float()
    else:
        raise WeightsError(f"{path} holds neither torchvision's VGG-16 nor the normalised VGG-19.")
    for name, layer in zip(names, convolutions, strict=False):
        weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
        if (
            weight is None
            or bias is None
            or weight.shape != layer.weight.shape
            or layer.bias is None
        ):
            raise WeightsError(
                f"{path} does not fit VGG-16: {name} is missing or has another shape."
            )
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return Copied(len(names), matrix, shift)
