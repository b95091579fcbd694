"""How much of an edge map is right, and how much of the truth it holds."""

from __future__ import annotations

import torch
from torch import Tensor

from forensic.check import check_same_shape, check_shape

THRESHOLD = 0.5


def edge_accuracy(refined: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return precision and recall of each edge map, pixel by pixel, 0 to 1, higher is better.

    Both maps are binary at 0.5; an edge one pixel beside the true one counts as wrong.

    Args:
        refined: (B, 1, H, W) float, 1 on an edge.
        target: Same shape.

    Returns:
        Two (B,) floats: the share of drawn pixels that are true, and the share of true pixels that
        are drawn. Where nothing is drawn the precision is 0, and where there is nothing to draw
        the recall is; both are 1 if there is nothing on either side.

    Raises:
        ShapeError: The shapes differ, or are not (B, 1, H, W).

    Source:
        Xia et al., Cali-Sketch, 2021, section 4.5.2, with the threshold of its ancestor.
    """
    check_shape(refined, (None, 1, None, None), name="edge maps")
    check_same_shape(refined, target, names="refined and target edges")
    drawn, true = refined.flatten(1) > THRESHOLD, target.flatten(1) > THRESHOLD
    hits = (drawn & true).sum(1).float()
    nothing = ~(drawn.any(1) | true.any(1))
    precision = hits / drawn.sum(1).clamp_min(1)
    recall = hits / true.sum(1).clamp_min(1)
    return torch.where(nothing, 1.0, precision), torch.where(nothing, 1.0, recall)
