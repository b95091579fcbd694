"""Peak signal-to-noise ratio."""

from __future__ import annotations

import torch
from torch import Tensor

from forensic.check import check_same_shape, check_shape


def psnr(predicted: Tensor, target: Tensor, *, dynamic_range: float = 1.0) -> Tensor:
    """Return the PSNR of each image in dB, higher is better, infinite for equal images.

    The ratio is taken per colour channel and then averaged, as the paper's equation 4 says; a
    pooled error over the channels would give another number.

    Args:
        predicted: (B, C, H, W) float.
        target: Same shape and range.
        dynamic_range: Largest possible value, 1 for images in [0, 1].

    Returns:
        (B,) float.

    Raises:
        ShapeError: The shapes differ, or are not four-dimensional.

    Source:
        Güçlütürk et al. 2016, equation 4.
    """
    check_shape(predicted, (None, None, None, None), name="predicted")
    check_same_shape(predicted, target, names="prediction and target")
    error = (predicted.double() - target.double()).square().mean(dim=(2, 3))  # (B, C)
    return (10 * torch.log10(dynamic_range**2 / error)).mean(dim=1).float()


def pooled_psnr(predicted: Tensor, target: Tensor, *, dynamic_range: float = 1.0) -> Tensor:
    """Return the PSNR of each image in dB from one error over all its channels and pixels.

    Higher is better, infinite for equal images; never above `psnr`, which averages decibels.

    Args:
        predicted: (B, C, H, W) float.
        target: Same shape and range.
        dynamic_range: Largest possible value, 1 for images in [0, 1].

    Returns:
        (B,) float.

    Raises:
        ShapeError: The shapes differ, or are not four-dimensional.

    Source:
        Xia et al., Cali-Sketch, 2021, equation 11.
    """
    check_shape(predicted, (None, None, None, None), name="predicted")
    check_same_shape(predicted, target, names="prediction and target")
    error = (predicted.double() - target.double()).square().mean(dim=(1, 2, 3))
    return (10 * torch.log10(dynamic_range**2 / error)).float()
