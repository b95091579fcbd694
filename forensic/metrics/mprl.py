"""Multiscale pixel-wise reconstruction loss of a drawing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.check import check_same_shape, check_shape

SCALES = (0.5, 1.0, 2.0)


def mprl(predicted: Tensor, target: Tensor, *, scales: Sequence[float] = SCALES) -> Tensor:
    """Return the root mean squared difference of each pair at several sizes, lower is better.

    Both pictures are resized bilinearly, without aliasing (the paper does not say how), and
    compared on the scale of bytes.

    Args:
        predicted: (B, C, H, W) float in [0, 1].
        target: Same shape and range.
        scales: Factors of both sides.

    Returns:
        (B, len(scales)) float in 0..255, one column for each scale.

    Raises:
        ShapeError: The shapes differ, or are not four-dimensional.

    Source:
        Zhang et al. 2015, equation 5 and section 4.3.
    """
    check_shape(predicted, (None, None, None, None), name="predicted")
    check_same_shape(predicted, target, names="prediction and target")
    columns = []
    for scale in scales:
        a, b = (_resized(images.double(), scale) for images in (predicted, target))
        columns.append((a - b).square().mean(dim=(1, 2, 3)).sqrt() * 255)
    return torch.stack(columns, dim=1).float()


def _resized(images: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return images
    size = [round(side * scale) for side in images.shape[2:]]
    return F.interpolate(images, size=size, mode="bilinear", antialias=True)
