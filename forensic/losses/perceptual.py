"""Losses between the features of a frozen network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from forensic.losses.pixel import squared_error


def feature_loss(
    predicted: Tensor, target: Tensor, *, features: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return the mean squared difference of features, a scalar, 0 for equal images.

    Args:
        predicted: (B, 3, H, W) float in [0, 1]; the gradient flows into it.
        target: Same shape and range; no gradient.
        features: A frozen network, e.g. `VGGFeatures`.

    Raises:
        ShapeError: The shapes differ.

    Source:
        Güçlütürk et al. 2016, equation 1, after Johnson et al. 2016.
    """
    with torch.no_grad():
        wanted = features(target)
    return squared_error(features(predicted), wanted)
