"""Distance between what a discriminator sees in two images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.errors import ShapeError


def feature_matching(
    fake: Sequence[Sequence[Tensor]],
    real: Sequence[Sequence[Tensor]],
    *,
    with_logits: bool = False,
) -> Tensor:
    """Return the mean absolute difference of activations, summed over layers, averaged over scales.

    Args:
        fake: Activations of made images, a list per scale with the logits last, as every
            discriminator returns them; the gradient flows into them.
        real: Activations of true images, of the same shapes; no gradient.
        with_logits: Count the last layer too (Cali-Sketch); pix2pixHD leaves it out.

    Returns:
        A scalar, 0 for equal activations.

    Raises:
        ShapeError: The two do not have the same scales, layers or shapes.

    Source:
        Wang et al., pix2pixHD, CVPR 2018, equation 4; Xia et al., Cali-Sketch, equation 2.
    """
    shapes = [[[tuple(a.shape) for a in scale] for scale in side] for side in (fake, real)]
    if shapes[0] != shapes[1] or not shapes[0]:
        raise ShapeError(
            f"Activations have shapes {shapes[0]} and {shapes[1]}; they must be equal.",
            actual_shape=(len(fake), len(real)),
            expected_shape="the same scales, layers and shapes",
        )
    last = None if with_logits else -1
    distances = [
        F.l1_loss(ours.float(), theirs.detach().float())
        for mine, true in zip(fake, real, strict=True)
        for ours, theirs in zip(mine[:last], true[:last], strict=True)
    ]
    return torch.stack(distances).sum() / len(fake)
