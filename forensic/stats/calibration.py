"""From similarities to likelihood ratios: logistic and isotonic calibration, and their limits.

Three rules hold here. The people of the calibration set are neither those of training nor
those of the test. One calibration serves one kind of sketch. And **a pairwise likelihood ratio
says nothing by itself about the first of an N-search**: that candidate was selected because it
is the most similar, so `after_search` must be applied, and its warning shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from forensic.check import check_shape
from forensic.errors import CalibrationError, RangeError
from forensic.stats.binomial import Interval
from forensic.stats.cllr import LN10, elub_bounds, pav_log10_lr

Floats = NDArray[np.float64]
LEAST_MATED = 50
LEAST_NONMATED = 200


@dataclass(frozen=True)
class CalibrationSet:
    """Similarities of pairs whose truth is known, of people used for nothing else.

    Attributes:
        mated: (n,) similarity of sketch and photo of one person, one pair per person.
        nonmated: (m,) similarity of pairs of different people.
        sketch_kind: viewed, forensic, composite, freehand or unknown; the result is valid for
            this kind alone.
    """

    mated: Floats
    nonmated: Floats
    sketch_kind: str


class Calibration(Protocol):
    """Turns similarities into bounded log10 likelihood ratios."""

    @property
    def bounds(self) -> Interval:
        """Lowest and highest log10 LR that the calibration set supports (ELUB)."""

    @property
    def sketch_kind(self) -> str:
        """The one kind of sketch it is valid for."""

    def log10_lr(self, similarities: Floats) -> Floats:
        """Return the bounded log10 LR of each similarity."""


@dataclass(frozen=True)
class LogisticCalibration:
    """log10 LR = slope * similarity + intercept, within bounds."""

    slope: float
    intercept: float
    bounds: Interval
    sketch_kind: str

    def log10_lr(self, similarities: Floats) -> Floats:
        """Return the bounded log10 LR of each similarity, same shape."""
        return np.clip(self.slope * similarities + self.intercept, *self.bounds)


@dataclass(frozen=True)
class PavCalibration:
    """A step function fitted by pooling adjacent violators, within bounds.

    Attributes:
        knots: (k,) similarities in rising order.
        values: (k,) log10 LR from each knot up to the next.
        bounds: See `Calibration`.
        sketch_kind: See `Calibration`.
    """

    knots: Floats
    values: Floats
    bounds: Interval
    sketch_kind: str

    def log10_lr(self, similarities: Floats) -> Floats:
        """Return the bounded log10 LR of each similarity, same shape."""
        place = np.searchsorted(self.knots, similarities, side="right") - 1
        return np.clip(self.values[np.maximum(place, 0)], *self.bounds)


@dataclass(frozen=True)
class SearchLR:
    """Likelihood ratio of a candidate that a search selected.

    Attributes:
        pairwise_log10_lr: As if this pair had been chosen without looking. Not to be shown
            alone.
        corrected_log10_lr: The same divided by the number of people searched.
        warning: Text that belongs beside either number.
    """

    pairwise_log10_lr: float
    corrected_log10_lr: float
    warning: str


def fit_logistic(data: CalibrationSet) -> LogisticCalibration:
    """Fit log10 LR as a rising straight line of the similarity, both sets weighing the same.

    A Gaussian prior of unit width, worth one observation, on the standardised slope keeps the
    line finite when the two sets do not overlap; it vanishes as the set grows.

    Raises:
        ShapeError: Not one-dimensional.
        CalibrationError: Too few pairs, or similarities that do not rise with truth.

    Source:
        Morrison, Australian Journal of Forensic Sciences 45 (2013) 173-197; weights as in
        Brummer and du Preez (2006).
    """
    _check_set(data)
    pooled = np.concatenate([data.mated, data.nonmated])
    centre, spread = float(pooled.mean()), float(pooled.std())
    if spread == 0:
        raise CalibrationError("All similarities are equal: they carry no information.")
    mated, nonmated = ((part - centre) / spread for part in (data.mated, data.nonmated))
    strength = 1 / len(data.mated)

    def cost(line: Floats) -> tuple[float, Floats]:
        up, down = line[0] * mated + line[1], line[0] * nonmated + line[1]
        value = np.logaddexp(0, -up).mean() + np.logaddexp(0, down).mean()
        pull, push = -expit(-up), expit(down)
        slope = (pull * mated).mean() + (push * nonmated).mean() + strength * line[0]
        gradient = np.array([slope, pull.mean() + push.mean()])
        return float(value + strength * line[0] ** 2 / 2), gradient

    slope, intercept = minimize(cost, np.zeros(2), jac=True, method="BFGS").x / LN10
    if slope <= 0:
        raise CalibrationError(
            "Mated pairs are not more similar than non-mated ones here, so a similarity from "
            "this embedder cannot be turned into a likelihood ratio."
        )
    line = (float(slope / spread), float(intercept - slope * centre / spread))
    raw = [line[0] * part + line[1] for part in (data.mated, data.nonmated)]
    return LogisticCalibration(*line, bounds=elub_bounds(*raw), sketch_kind=data.sketch_kind)


def fit_pav(data: CalibrationSet) -> PavCalibration:
    """Fit the LR as any rising step function of the similarity (isotonic regression).

    One misleading pair is added at each end, so that no LR is infinite.

    Raises:
        ShapeError: Not one-dimensional.
        CalibrationError: Too few pairs.

    Source:
        Zadrozny and Elkan, KDD 2002; bounds as in `elub_bounds`.
    """
    _check_set(data)
    low = min(data.mated.min(), data.nonmated.min()) - 1.0
    high = max(data.mated.max(), data.nonmated.max()) + 1.0
    # The added pairs lie beyond both ends: each end then holds one pair of either kind.
    mated = np.concatenate([data.mated, [low, high]])
    nonmated = np.concatenate([data.nonmated, [low, high]])
    pooled = np.concatenate([mated, nonmated])
    values = np.concatenate(pav_log10_lr(mated, nonmated))
    knots, first = np.unique(pooled, return_index=True)
    raw = [values[: len(data.mated)], values[len(mated) : len(mated) + len(data.nonmated)]]
    return PavCalibration(
        knots=knots, values=values[first], bounds=elub_bounds(*raw), sketch_kind=data.sketch_kind
    )


def after_search(pairwise_log10_lr: float, *, searched: int) -> SearchLR:
    """Return what a pairwise LR is worth for a candidate picked out of `searched` people.

    Divides by the number searched: the LR for "the person is among those searched" against
    "is not", when the others are excluded and all had equal prior probability.

    Raises:
        RangeError: Fewer than one person was searched.

    Source:
        Stockmarr, Biometrics 55 (1999) 671-677. The choice between this and a prior of 1/N
        for each person is disputed; for one candidate both give the same posterior odds.
    """
    if searched < 1:
        raise RangeError(f"searched is {searched}, expected at least one person.")
    return SearchLR(
        pairwise_log10_lr=pairwise_log10_lr,
        corrected_log10_lr=pairwise_log10_lr - float(np.log10(searched)),
        warning=(
            f"This candidate was selected as the most similar of {searched} people. The pairwise "
            "likelihood ratio does not account for that selection and overstates the support."
        ),
    )


def _check_set(data: CalibrationSet) -> None:
    for name, values, least in (
        ("mated", data.mated, LEAST_MATED),
        ("non-mated", data.nonmated, LEAST_NONMATED),
    ):
        check_shape(values, (None,), name=f"{name} similarities")
        if len(values) < least or not np.isfinite(values).all():
            raise CalibrationError(
                f"Calibration needs at least {least} finite {name} similarities of people used "
                f"for nothing else, found {int(np.isfinite(values).sum())}. Without them report "
                "ranks and similarities, no likelihood ratio."
            )
