"""How good likelihood ratios are: Cllr and its parts, Tippett and ECE points, ELUB bounds.

Likelihood ratios travel as log10 values: mated ones (the two pictures show one person) should
be high, non-mated ones low.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from forensic.check import check_shape
from forensic.errors import RangeError
from forensic.stats.binomial import Interval

LN10 = float(np.log(10))
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cllr:
    """Log-likelihood-ratio cost in bits, and what it is made of.

    Attributes:
        total: Cllr; 0 is perfect, 1 says nothing, above 1 misleads.
        discrimination: Cllr-min, what remains after the best monotone recalibration.
        calibration: Cllr-cal, the difference: what bad calibration costs.
        misleading_mated: Share of mated pairs with LR below 1.
        misleading_nonmated: Share of non-mated pairs with LR above 1.
    """

    total: float
    discrimination: float
    calibration: float
    misleading_mated: float
    misleading_nonmated: float


def cllr(mated: Floats, nonmated: Floats) -> float:
    """Return the log-likelihood-ratio cost in bits, lower is better.

    Args:
        mated: (n,) log10 LR of mated pairs; may be infinite.
        nonmated: (m,) log10 LR of non-mated pairs; may be infinite.

    Raises:
        ShapeError: Not one-dimensional.
        RangeError: A set is empty or holds NaN.

    Example:
        >>> cllr(np.zeros(3), np.zeros(5))
        1.0

    Source:
        Brummer and du Preez, Computer Speech and Language 20 (2006) 230-275, equation 37.
    """
    return cross_entropy(mated, nonmated, 0.0)


def cross_entropy(mated: Floats, nonmated: Floats, log10_prior_odds: float) -> float:
    """Return the empirical cross-entropy in bits at the given prior odds of a mated pair.

    At even odds it equals Cllr.

    Raises:
        ShapeError: Not one-dimensional.
        RangeError: A set is empty or holds NaN.

    Source:
        Ramos and Gonzalez-Rodriguez, Forensic Science International 230 (2013) 156-169.
    """
    _check_sets(mated, nonmated)
    prior = 1 / (1 + 10**-log10_prior_odds)
    odds = LN10 * log10_prior_odds
    mated_bits = np.logaddexp(0, -(LN10 * mated + odds)).mean() / np.log(2)
    nonmated_bits = np.logaddexp(0, LN10 * nonmated + odds).mean() / np.log(2)
    return float(prior * mated_bits + (1 - prior) * nonmated_bits)


def pav_log10_lr(mated: Floats, nonmated: Floats) -> tuple[Floats, Floats]:
    """Return the log10 LRs of the best monotone recalibration of these very scores.

    Pool-adjacent-violators; equal scores are pooled first. The ends are usually infinite. It
    uses the labels of the data it is applied to: a yardstick, not a calibration for new cases.

    Args:
        mated: (n,) scores of mated pairs, higher is nearer.
        nonmated: (m,) scores of non-mated pairs.

    Raises:
        ShapeError: Not one-dimensional.
        RangeError: A set is empty or holds NaN.
    """
    _check_sets(mated, nonmated)
    scores = np.concatenate([mated, nonmated])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    hits = np.bincount(place[: len(mated)], minlength=len(counts))
    share = np.clip(isotonic_regression(hits / counts, weights=counts).x, 0, 1)
    with np.errstate(divide="ignore"):  # a share of 0 or 1 is meant to give an infinite LR
        log10_lr = np.log10(share) - np.log10(1 - share) - np.log10(len(mated) / len(nonmated))
    return log10_lr[place[: len(mated)]], log10_lr[place[len(mated) :]]


def decompose(mated: Floats, nonmated: Floats) -> Cllr:
    """Return Cllr split into discrimination and calibration, with misleading shares.

    Raises:
        ShapeError: Not one-dimensional.
        RangeError: A set is empty or holds NaN.
    """
    total = cllr(mated, nonmated)
    least = cllr(*pav_log10_lr(mated, nonmated))
    return Cllr(
        total=total,
        discrimination=least,
        calibration=total - least,
        misleading_mated=float((mated < 0).mean()),
        misleading_nonmated=float((nonmated > 0).mean()),
    )


def tippett_points(log10_lr: Floats) -> tuple[Floats, Floats]:
    """Return sorted log10 LRs and the share of pairs with at least each, both (n,).

    Raises:
        RangeError: The set is empty or holds NaN.
    """
    if not len(log10_lr) or np.isnan(log10_lr).any():
        raise RangeError("A Tippett plot needs at least one LR, and none that is NaN.")
    ordered = np.sort(log10_lr)
    return ordered, 1 - np.searchsorted(ordered, ordered, side="left") / len(ordered)


def ece_points(
    mated: Floats, nonmated: Floats, log10_prior_odds: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return cross-entropy of the LRs, of their best recalibration, and of saying nothing.

    Args:
        mated: (n,) log10 LRs.
        nonmated: (m,) log10 LRs.
        log10_prior_odds: (k,) grid of priors.

    Returns:
        Three (k,) arrays in bits.

    Raises:
        ShapeError: Not one-dimensional.
        RangeError: A set is empty or holds NaN.
    """
    best = pav_log10_lr(mated, nonmated)
    silent = (np.zeros(1), np.zeros(1))
    own, after, none = (
        np.array([cross_entropy(*pair, float(odds)) for odds in log10_prior_odds])
        for pair in ((mated, nonmated), best, silent)
    )
    return own, after, none


def elub_bounds(mated: Floats, nonmated: Floats) -> Interval:
    """Return the lowest and highest log10 LR that sets of this size can support.

    One misleading LR is added to each set. A threshold t is acceptable while deciding by
    "LR above t" at prior odds 1/t errs no more often than deciding without any LR; the bounds
    are where that first ends, going out from LR = 1. With n perfectly separated pairs in each
    set they are 1/n and n.

    Raises:
        ShapeError: Not one-dimensional.
        RangeError: A set is empty or holds NaN.

    Source:
        Vergeer, van Es, de Jongh, Alberink and Stoel, Science and Justice 56 (2016) 482-491.
    """
    _check_sets(mated, nonmated)
    return -_upper_bound(-nonmated, -mated), _upper_bound(mated, nonmated)


def _upper_bound(mated: Floats, nonmated: Floats) -> float:
    """Return the largest t >= 0 up to which no threshold does worse than no LR at all."""
    n, m = len(mated), len(nonmated)
    values = np.concatenate([mated, nonmated])
    cuts = np.unique(values[(values > 0) & np.isfinite(values)])
    # Between cuts both error counts are constant, and the rule is miss + alarm * t <= 1.
    starts = np.concatenate([[0.0], cuts])
    ends = np.concatenate([cuts, [np.inf]])
    missed = (np.searchsorted(np.sort(mated), starts, side="right") + 1) / (n + 1)
    alarms = m - np.searchsorted(np.sort(nonmated), starts, side="right")
    limit = np.log10(
        (1 - missed) * (m + 1) / (alarms + 1), where=missed < 1, out=np.full(len(starts), -np.inf)
    )
    failing = np.flatnonzero(limit < ends)
    first = failing[0]
    return float(max(starts[first], min(limit[first], ends[first])))


def _check_sets(mated: Floats, nonmated: Floats) -> None:
    for name, values in (("mated", mated), ("non-mated", nonmated)):
        check_shape(values, (None,), name=name)
        if not len(values) or np.isnan(values).any():
            raise RangeError(f"The {name} set is empty or holds NaN.")
