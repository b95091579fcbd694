"""Exact intervals and tests for a rate: successes out of trials.

Clopper-Pearson intervals belong in tables because they never cover less than they claim;
Wilson intervals are narrower and belong in plots.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from forensic.check import check_range
from forensic.errors import RangeError

Interval = tuple[float, float]


def check_counts(successes: int, trials: int) -> None:
    """Refuse counts that are not 0 <= successes <= trials.

    Raises:
        RangeError: They are not.
    """
    if trials < 0 or not 0 <= successes <= trials:
        raise RangeError(f"{successes} successes of {trials} trials is impossible.")


def clopper_pearson(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Return the exact two-sided interval for a rate, both ends in [0, 1].

    Assumes independent trials with one common rate. Without any trial it is (0, 1): nothing
    is known.

    Raises:
        RangeError: Impossible counts, or a confidence outside 0 to 1.

    Example:
        >>> low, high = clopper_pearson(100, 100)
        >>> round(100 * low, 1), high
        (96.4, 1.0)

    Source:
        Clopper and Pearson, Biometrika 26 (1934) 404-413.
    """
    check_counts(successes, trials)
    check_range(confidence, 0, 1, name="confidence")
    tail = (1 - confidence) / 2
    low = stats.beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, trials - successes)
    return float(low), float(high) if successes < trials else 1.0


def wilson(
    rates: ArrayLike, trials: int, *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's score interval for each rate, as two arrays of the shape of `rates`.

    Args:
        rates: Observed shares in [0, 1], for instance a whole match curve.
        trials: Number of probes behind every one of them, at least 1.
        confidence: Two-sided, below 1.

    Raises:
        RangeError: No trials, or a rate outside 0 to 1.

    Source:
        Wilson, Journal of the American Statistical Association 22 (1927) 209-212.
    """
    share = np.asarray(rates, dtype=np.float64)
    if trials < 1 or ((share < 0) | (share > 1)).any():
        raise RangeError("Wilson's interval needs rates in 0..1 and at least one trial.")
    z = float(stats.norm.ppf((1 + confidence) / 2))
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def p_above(successes: int, trials: int, rate: float) -> float:
    """Return the probability of at least so many successes if the true rate were `rate`.

    The one-sided exact test. Against chance, `rate` is rank/gallery size. Against a published
    figure, `rate` is that figure *treated as fixed*: its own sampling error is ignored, which
    must be said beside the p-value.

    Raises:
        RangeError: Impossible counts, or a rate outside 0 to 1.
    """
    check_counts(successes, trials)
    check_range(rate, 0, 1, name="rate")
    return float(stats.binom.sf(successes - 1, trials, rate))


def p_below(successes: int, trials: int, rate: float) -> float:
    """Return the probability of at most so many successes if the true rate were `rate`.

    Raises:
        RangeError: Impossible counts, or a rate outside 0 to 1.
    """
    check_counts(successes, trials)
    check_range(rate, 0, 1, name="rate")
    return float(stats.binom.cdf(successes, trials, rate))


def chance_rate(rank: int, gallery_size: int) -> float:
    """Return the match score of a system that guesses: rank / gallery size, at most 1.

    Raises:
        RangeError: Rank or gallery size below 1.
    """
    if rank < 1 or gallery_size < 1:
        raise RangeError("Rank and gallery size must be at least 1.")
    return min(1.0, rank / gallery_size)


def smallest_provable_rate(trials: int, rate: float, *, alpha: float = 0.05) -> float | None:
    """Return the lowest observed rate that this many trials could have shown to exceed `rate`.

    Returns:
        Share of successes in (rate, 1], or None when not even n of n would be significant.

    Raises:
        RangeError: `rate` or `alpha` outside 0 to 1.
    """
    least = _least_count(trials, lambda count: p_above(count, trials, rate) < alpha)
    return None if least is None else least / trials


def zero_failure_bound(trials: int, *, confidence: float = 0.95) -> float:
    """Return the one-sided upper bound of a rate of which no case was seen (about 3/n).

    Raises:
        RangeError: Fewer than one trial.
    """
    if trials < 1:
        raise RangeError("A bound needs at least one trial.")
    return float(1 - (1 - confidence) ** (1 / trials))


def _least_count(trials: int, is_enough: Callable[[int], bool]) -> int | None:
    """Return the smallest count in 0..trials that is enough, by bisection of a monotone test."""
    if trials < 1 or not is_enough(trials):
        return None
    low, high = 0, trials
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return low
