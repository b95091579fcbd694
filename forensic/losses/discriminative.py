"""The joint generative-discriminative objective of FCN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.check import check_same_shape, check_shape


def summed_squared_error(made: Tensor, drawn: Tensor) -> Tensor:
    """Return the squared difference of two batches, summed over each picture, mean over pictures.

    Args:
        made: (B, C, H, W) drawings by the network, 0 to 255 in the paper's scale.
        drawn: The artist's, same shape and scale.

    Raises:
        ShapeError: The shapes differ.

    Source:
        Zhang et al. 2015, equation 2.
    """
    check_same_shape(made, drawn, names="made and drawn")
    return (drawn.float() - made.float()).square().flatten(1).sum(1).mean()


def discriminative_regulariser(made: Tensor, drawn: Tensor, *, scale: float = 1e9) -> Tensor:
    """Return how near artists' drawings come to drawings made of other people's photos.

    The mean over all ordered pairs of different people of log(1 + exp(-d / scale)), with d their
    summed squared difference; log 2 where everybody looks the same, near 0 where all are far
    apart. A batch of one person has no pairs and gives 0.

    Args:
        made: (B, C, H, W) drawings of B people, 0 to 255.
        drawn: The artists' drawings of the same people in the same order.
        scale: The paper's lambda.

    Raises:
        ShapeError: The shapes differ, or are not four-dimensional.

    Source:
        Zhang et al. 2015, equation 3.
    """
    check_shape(made, (None, None, None, None), name="made drawings")
    check_same_shape(made, drawn, names="made and drawn")
    n = len(made)
    if n < 2:
        return made.sum() * 0
    difference = drawn.float().flatten(1)[:, None] - made.float().flatten(1)[None]  # (B, B, D)
    distances = difference.square().sum(2)
    others = ~torch.eye(n, dtype=torch.bool, device=made.device)
    return F.softplus(-distances[others] / scale).mean()
