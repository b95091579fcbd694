"""Adjusted p-values for a family of tests: Holm for claims, Benjamini-Hochberg for exploring."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensic.errors import RangeError


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted so that the chance of any false claim stays below alpha.

    Args:
        p_values: (m,) one per hypothesis of the family declared beforehand; may be empty.

    Returns:
        (m,) in the given order, each at least its raw value and at most 1.

    Raises:
        RangeError: Not one-dimensional, or a value outside 0 to 1.

    Source:
        Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    raw = _checked(p_values)
    order = np.argsort(raw, kind="stable")
    scaled = raw[order] * np.arange(len(raw), 0, -1)
    return _restore(np.minimum(np.maximum.accumulate(scaled), 1), order)


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted for the expected share of false claims among all claims.

    Raises:
        RangeError: Not one-dimensional, or a value outside 0 to 1.

    Source:
        Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995) 289-300.
    """
    raw = _checked(p_values)
    order = np.argsort(raw, kind="stable")[::-1]
    scaled = raw[order] * len(raw) / np.arange(len(raw), 0, -1)
    return _restore(np.minimum(np.minimum.accumulate(scaled), 1), order)


def _checked(p_values: ArrayLike) -> NDArray[np.float64]:
    raw = np.asarray(p_values, dtype=np.float64)
    if raw.ndim != 1 or not ((raw >= 0) & (raw <= 1)).all():
        raise RangeError("p-values must be a flat list of numbers from 0 to 1.")
    return raw


def _restore(adjusted: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    """Put values computed in sorted order back to where they came from."""
    result = np.empty_like(adjusted)
    result[order] = adjusted
    return result
