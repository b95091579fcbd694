"""How clear and how varied images are, by the classes that a network sees in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_range, check_shape


def inception_score(
    probabilities: NDArray[np.floating], *, n_splits: int = 10
) -> tuple[float, float]:
    """Return the score, 1 or more, higher is better, and its deviation over parts of the set.

    exp of the mean divergence of each image's classes from those of its part of the set. On
    faces, which are no class of ImageNet, it says little; it is here to repeat published tables.

    Args:
        probabilities: (N, C) class probabilities of machine-made images, rows that sum to 1.
        n_splits: Parts of about equal size, taken in order; 10 by custom.

    Raises:
        ShapeError: Not two axes.
        RangeError: Fewer images than parts.

    Source:
        Salimans et al., Improved Techniques for Training GANs, 2016, section 4.
    """
    check_shape(probabilities, (None, None), name="class probabilities")
    check_range(n_splits, 1, len(probabilities), name="number of parts")
    scores = []
    for part in np.array_split(np.asarray(probabilities, dtype=np.float64), n_splits):
        marginal = part.mean(axis=0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(part > 0, part * (np.log(part) - np.log(marginal)), 0.0)
        scores.append(np.exp(terms.sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
