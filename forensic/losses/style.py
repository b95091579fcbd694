"""Distance between the textures of two images: which features occur together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.check import check_same_shape, check_shape


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrices (B, C, C) of features (B, C, H, W), divided by C·H·W.

    Raises:
        ShapeError: The features are not four-dimensional.

    Source:
        Johnson et al., Perceptual Losses, ECCV 2016, equation 4.
    """
    check_shape(features, (None, None, None, None), name="features")
    flat = features.float().flatten(2)  # (B, C, H·W)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


def style_loss(predicted: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Return the mean absolute difference of Gram matrices, averaged over layers, a scalar.

    Args:
        predicted: Features (B, C, H, W) of each layer; the gradient flows into them.
        target: Features of the true images, of the same shapes; no gradient.

    Raises:
        ShapeError: The shapes of a layer differ, or are not four-dimensional.
        ValueError: The numbers of layers differ.

    Source:
        Xia et al., Cali-Sketch, equation 9.
    """
    distances = []
    for ours, theirs in zip(predicted, target, strict=True):
        check_same_shape(ours, theirs, names="features of prediction and target")
        distances.append(F.l1_loss(gram_matrix(ours), gram_matrix(theirs.detach())))
    return torch.stack(distances).mean()
