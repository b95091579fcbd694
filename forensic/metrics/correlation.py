"""Pearson correlation between images."""

from __future__ import annotations

import torch
from torch import Tensor

from forensic.check import check_same_shape, check_shape


def correlation(predicted: Tensor, target: Tensor) -> Tensor:
    """Return Pearson's R between each image and its target, -1 to 1, higher is better.

    Every image is flattened over channels and pixels before comparison.

    Args:
        predicted: (B, C, H, W) float.
        target: Same shape; the ranges need not agree.

    Returns:
        (B,) float. A constant image has no R and gives NaN.

    Raises:
        ShapeError: The shapes differ, or are not four-dimensional.

    Source:
        Güçlütürk et al. 2016, section 4.2.
    """
    check_shape(predicted, (None, None, None, None), name="predicted")
    check_same_shape(predicted, target, names="prediction and target")
    x, y = predicted.double().flatten(1), target.double().flatten(1)
    x, y = x - x.mean(dim=1, keepdim=True), y - y.mean(dim=1, keepdim=True)
    lengths = torch.linalg.vector_norm(x, dim=1) * torch.linalg.vector_norm(y, dim=1)
    ratio: Tensor = (x * y).sum(dim=1) / lengths
    return ratio.float()
