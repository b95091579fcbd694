"""Several sketches and renditions of one person as one query.

The fusions here are weighted sums of unit vectors, so the sum itself can be searched with: its
inner product with a photo is the weighted sum of the inputs' similarities. The gallery is scanned
once, and the ranking is exact.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from forensic.embedders.embedder import unit_rows
from forensic.registry import Registry
from forensic.values import Vectors

Weights = NDArray[np.float64]
Spread = Callable[[], Weights]
"""Gives the standard deviation of each input's similarity over the gallery, (Q,); asked for only
where it is needed, because it costs a pass over the gallery."""

_LEAST_SPREAD = 1e-6
"""Below this a gallery does not spread (one photo, or copies of one), and nothing is scaled."""


def fuse(vectors: Vectors, fusion: str, *, spread: Spread) -> tuple[Vectors, Weights]:
    """Return one unit query, (1, D), and the weight of each input, which sum to 1.

    Args:
        vectors: (Q, D) unit rows of the inputs, Q at least 1.
        fusion: A name of `FUSIONS`.
        spread: See `Spread`.

    Raises:
        UnknownNameError: No such fusion.
        RangeError: The inputs cancel out.
    """
    weights = FUSIONS[fusion](len(vectors), spread)
    weights = weights / weights.sum()
    return unit_rows(weights[None] @ vectors.astype(np.float64)), weights


def _mean(n_inputs: int, spread: Spread) -> Weights:
    """Weigh all alike: the mean similarity."""
    del spread  # it does not count here
    return np.ones(n_inputs)


def _z_mean(n_inputs: int, spread: Spread) -> Weights:
    """Weigh by 1 / spread: the mean of z-scores, whose means shift all photos alike."""
    if n_inputs == 1:
        return np.ones(1)
    deviations = np.asarray(spread(), dtype=np.float64)
    if (deviations < _LEAST_SPREAD).any():
        return np.ones(n_inputs)
    return 1 / deviations


FUSIONS: Registry[Callable[[int, Spread], Weights]] = Registry(
    "fusion", {"mean": _mean, "z-mean": _z_mean}
)
"""Name to the weights of the inputs; `forensic.cases.searches.FUSIONS` puts them into words.

The fusion `best` weighs methods, not inputs: see `forensic.jobs.handlers.parts`.
"""
