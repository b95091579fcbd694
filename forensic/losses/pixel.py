"""Losses between pixels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from forensic.check import check_same_shape


def squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared difference, a scalar, 0 for equal images.

    Args:
        predicted: (B, C, H, W) float.
        target: Same shape and range.

    Raises:
        ShapeError: The shapes differ.

    Source:
        The pixel loss of Güçlütürk et al. 2016, section 4.1 ("standard Euclidean loss").
    """
    check_same_shape(predicted, target, names="prediction and target")
    return F.mse_loss(predicted.float(), target.float())
