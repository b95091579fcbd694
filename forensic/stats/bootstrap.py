"""Seeded bootstrap of a mean over people: several pictures of one person are drawn together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import RangeError
from forensic.stats.binomial import Interval

LEAST_DRAWS = 10_000
CHUNK_VALUES = 4_000_000  # bounds memory to tens of megabytes whatever the set's size


@dataclass(frozen=True)
class BootstrapMean:
    """A mean with its bootstrap error.

    Attributes:
        mean: Mean over all values, in their unit.
        standard_error: Standard deviation of the resampled means, same unit.
        ci95: Percentile interval, same unit.
        n_values: Number of values.
        n_clusters: Number of people that were resampled.
        n_bootstraps: Number of draws.
        seed: Seed of the generator; the same seed gives the same figures.
    """

    mean: float
    standard_error: float
    ci95: Interval
    n_values: int
    n_clusters: int
    n_bootstraps: int
    seed: int


def bootstrap_mean(
    values: NDArray[Any],
    *,
    clusters: NDArray[Any] | None = None,
    n_bootstraps: int = LEAST_DRAWS,
    seed: int = 0,
) -> BootstrapMean:
    """Return the mean of `values` with an error that respects who they belong to.

    Whole clusters are drawn with replacement and the mean is taken over all values drawn, so
    that a person with many pictures does not count as many people.

    Args:
        values: (n,) finite numbers, one per picture.
        clusters: (n,) person of each picture; by default every picture is its own.
        n_bootstraps: Number of draws, at least 10,000.
        seed: Seed of the generator.

    Raises:
        ShapeError: Values and clusters differ in length.
        RangeError: No value, a value that is not finite, or too few draws.

    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 6 and 13;
        clusters as in Davison and Hinkley, Bootstrap Methods (1997), section 3.8.
    """
    check_shape(values, (None,), name="values")
    if not len(values) or not np.isfinite(values).all():
        raise RangeError("A bootstrap needs at least one value, all of them finite.")
    if n_bootstraps < LEAST_DRAWS:
        raise RangeError(f"n_bootstraps is {n_bootstraps}, expected at least {LEAST_DRAWS}.")
    labels = np.arange(len(values)) if clusters is None else clusters
    check_shape(labels, values.shape, name="clusters")
    _, members = np.unique(labels, return_inverse=True)
    sums = np.bincount(members, weights=values).astype(np.float64)
    sizes = np.bincount(members).astype(np.float64)
    means = _resampled_means(sums, sizes, n_bootstraps, np.random.default_rng(seed))
    low, high = np.quantile(means, (0.025, 0.975))
    return BootstrapMean(
        mean=float(np.mean(values)),
        standard_error=float(means.std(ddof=1)),
        ci95=(float(low), float(high)),
        n_values=len(values),
        n_clusters=len(sums),
        n_bootstraps=n_bootstraps,
        seed=seed,
    )


def _resampled_means(
    sums: NDArray[np.float64],
    sizes: NDArray[np.float64],
    n_bootstraps: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return (n_bootstraps,) means of clusters drawn with replacement, in bounded memory."""
    rows = max(1, CHUNK_VALUES // len(sums))
    means = np.empty(n_bootstraps)
    for start in range(0, n_bootstraps, rows):
        part = means[start : start + rows]
        drawn = generator.integers(len(sums), size=(len(part), len(sums)))
        part[:] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return means
