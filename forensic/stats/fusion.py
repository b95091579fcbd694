"""Weights of a sum of scores, learnt from searches whose answer is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from forensic.check import check_shape
from forensic.errors import CalibrationError
from forensic.stats.calibration import LEAST_MATED, CalibrationSet, Floats, fit_logistic


@dataclass(frozen=True)
class FusedScores:
    """A sum of scores in log10 odds.

    Attributes:
        weights: (P,) factor on each score, none negative.
        intercept: Log10 odds at a sum of 0, pairs that match and others weighing the same.
        surprise: Negative log-likelihood of the right photos, in nats, over all searches.
    """

    weights: Floats
    intercept: float
    surprise: float


def fit_fusion(
    scores: Floats, mates: NDArray[np.intp], *, sketch_kind: str, prior: float = 1.0
) -> FusedScores:
    """Learn how much each score should count.

    First the direction: the probability of the right photo under a softmax over the gallery is
    made as great as possible. Then the scale and the intercept: a logistic regression of match
    on the sum, so that the sum reads as log10 odds.

    Args:
        scores: (P, n, N) score of each of P parts for n probes and N photos.
        mates: (n,) which photo is the right one.
        sketch_kind: Kind of the sketches, see `CalibrationSet`.
        prior: Strength of a Gaussian prior on the standardised weights, in probes.

    Raises:
        ShapeError: Not three axes, or other numbers of probes.
        CalibrationError: Too few probes, or no part tells right from wrong.

    Source:
        Conditional logit: McFadden, Frontiers in Econometrics, 1974, equation 12.
    """
    check_shape(scores, (None, None, None), name="scores")
    check_shape(mates, (scores.shape[1],), name="mates")
    n_probes, n_photos = scores.shape[1:]
    if n_probes < LEAST_MATED or n_photos < 2:
        raise CalibrationError(
            f"A fusion is learnt from at least {LEAST_MATED} searches among two photos or more, "
            f"here are {n_probes} among {n_photos}."
        )
    spread = scores.std(axis=(1, 2))
    if not (spread > 0).all():
        raise CalibrationError("A part gives every photo the same score: it carries nothing.")
    scaled = scores / spread[:, None, None]
    rows = np.arange(n_probes)
    right = scaled[:, rows, mates]

    def cost(weights: Floats) -> tuple[float, Floats]:
        total = np.tensordot(weights, scaled, axes=1)
        norm = logsumexp(total, axis=1)
        chances = np.exp(total - norm[:, None])
        value = float((norm - weights @ right).sum() + prior * weights @ weights / 2)
        gradient = np.einsum("nk,pnk->p", chances, scaled) - right.sum(axis=1) + prior * weights
        return value, gradient

    start = np.ones(len(scores))
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(scores)).x
    if not found.any():
        raise CalibrationError("No part is higher for the right photo than for others.")
    direction = found / spread
    total = np.tensordot(direction, scores, axes=1)
    surprise = float((logsumexp(total, axis=1) - total[rows, mates]).sum())
    is_mate = np.zeros(total.shape, dtype=bool)
    is_mate[rows, mates] = True
    line = fit_logistic(CalibrationSet(total[is_mate], total[~is_mate], sketch_kind))
    return FusedScores(direction * line.slope, line.intercept, surprise)
