"""A penalty on roughness."""

from __future__ import annotations

import torch
from torch import Tensor

from forensic.check import check_shape

EPSILON = 1e-8
"""Keeps the root differentiable where neighbours are equal."""


def total_variation(images: Tensor) -> Tensor:
    """Return the summed length of all pixel gradients per image, averaged over the batch.

    Args:
        images: (B, C, H, W) float.

    Returns:
        Scalar, in units of the images; the square root of 1e-8 per pixel for a constant image.

    Raises:
        ShapeError: Not four axes.

    Source:
        Güçlütürk et al. 2016, equation 2. Differs from it in: 1e-8 under the root.
    """
    check_shape(images, (None, None, None, None), name="image batch")
    down = images[:, :, 1:, :-1] - images[:, :, :-1, :-1]
    right = images[:, :, :-1, 1:] - images[:, :, :-1, :-1]
    lengths = torch.sqrt(down.square() + right.square() + EPSILON)
    return lengths.sum() / images.shape[0]
