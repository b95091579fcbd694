"""Open-set identification: misses against false alarms when the person may not be enrolled.

A mated search has its person in the gallery, a non-mated one does not; the two sets of probes
must show different people, and the non-mated ones nobody of the gallery. A search raises an
alarm at threshold T when some candidate's similarity is T or more.
"""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_range, check_same_shape, check_shape
from forensic.errors import DataFolderError, RangeError
from forensic.stats.binomial import Interval, clopper_pearson


@dataclass(frozen=True)
class MatedSearches:
    """Searches for people who are in the gallery.

    Attributes:
        similarities: (n,) similarity of the mate; minus infinity for a failure to enrol.
        ranks: (n,) rank of the mate, `inf` for a failure.
    """

    similarities: NDArray[np.float64]
    ranks: NDArray[np.float64]


@dataclass(frozen=True)
class OperatingPoint:
    """Error rates at one threshold.

    Attributes:
        threshold: Least similarity that counts as a candidate.
        fnir: Share of mated searches without the mate, with its Clopper-Pearson interval.
        fpir: Share of non-mated searches with any candidate, likewise.
        mated: Number of mated searches.
        nonmated: Number of non-mated searches.
    """

    threshold: float
    fnir: float
    fnir_ci95: Interval
    fpir: float
    fpir_ci95: Interval
    mated: int
    nonmated: int


def check_disjoint(mated: AbstractSet[str], nonmated: AbstractSet[str]) -> None:
    """Refuse non-mated probes who are also among the mated people or in the gallery.

    Raises:
        DataFolderError: Some people are in both; the message names the first.
    """
    shared = sorted(mated & nonmated)
    if shared:
        raise DataFolderError(
            f"{len(shared)} people are both mated and non-mated, e.g. {', '.join(shared[:3])}. "
            "Remove them from the non-mated probes: their hits would count as false alarms."
        )


def threshold_for_fpir(nonmated_top: NDArray[np.float64], fpir: float) -> float:
    """Return the lowest threshold whose false alarms on these searches stay within `fpir`.

    Args:
        nonmated_top: (m,) highest similarity of each non-mated search.
        fpir: Wanted share of searches with a false alarm, 0 to 1. Fewer than 1/fpir searches
            cannot resolve it; the threshold then lies just above all of them.

    Raises:
        RangeError: No search, a NaN, or `fpir` outside 0 to 1.
    """
    check_range(fpir, 0, 1, name="fpir")
    top = _checked_scores(nonmated_top, "non-mated searches")
    allowed = math.floor(fpir * len(top) + 1e-9)
    if allowed >= len(top):
        return -math.inf
    return float(np.nextafter(np.sort(top)[::-1][allowed], math.inf))


def operating_point(
    searches: MatedSearches,
    nonmated_top: NDArray[np.float64],
    threshold: float,
    *,
    max_rank: int | None = None,
) -> OperatingPoint:
    """Return FNIR and FPIR at a threshold, with intervals.

    Args:
        searches: The mated searches.
        nonmated_top: (m,) highest similarity of each non-mated search.
        threshold: Least similarity that counts.
        max_rank: Length of the candidate list; None shows every candidate above threshold.

    Raises:
        ShapeError: Similarities and ranks differ in length.
        RangeError: One of the sets is empty or holds NaN.
    """
    top = _checked_scores(nonmated_top, "non-mated searches")
    own = _checked_scores(searches.similarities, "mated searches")
    check_same_shape(own, searches.ranks, names="mated similarities and ranks")
    in_list = searches.ranks <= (math.inf if max_rank is None else max_rank)
    hits = int(((own >= threshold) & in_list & np.isfinite(own)).sum())
    misses, alarms = len(own) - hits, int((top >= threshold).sum())
    return OperatingPoint(
        threshold=threshold,
        fnir=misses / len(own),
        fnir_ci95=clopper_pearson(misses, len(own)),
        fpir=alarms / len(top),
        fpir_ci95=clopper_pearson(alarms, len(top)),
        mated=len(own),
        nonmated=len(top),
    )


def det_curve(
    searches: MatedSearches,
    nonmated_top: NDArray[np.float64],
    *,
    max_rank: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return thresholds, FPIR and FNIR, each (T,), from the lowest threshold to the highest.

    The curve has one point per distinct similarity and a last one above them all, so that it
    is exact. FPIR falls and FNIR rises along it.

    Raises:
        ShapeError: Similarities and ranks differ in length.
        RangeError: One of the sets is empty or holds NaN.

    Source:
        Martin et al., The DET curve in assessment of detection task performance (1997).
    """
    top = np.sort(_checked_scores(nonmated_top, "non-mated searches"))
    own = _checked_scores(searches.similarities, "mated searches")
    check_same_shape(own, searches.ranks, names="mated similarities and ranks")
    in_list = searches.ranks <= (math.inf if max_rank is None else max_rank)
    reachable = np.sort(own[in_list & np.isfinite(own)])
    finite = np.unique(np.concatenate([top[np.isfinite(top)], reachable]))
    if not len(finite):
        raise RangeError("No search gave any candidate, so there is no curve.")
    thresholds = np.append(finite, np.nextafter(finite[-1], math.inf))
    alarms = len(top) - np.searchsorted(top, thresholds, side="left")
    hits = len(reachable) - np.searchsorted(reachable, thresholds, side="left")
    return thresholds, alarms / len(top), 1 - hits / len(own)


def _checked_scores(similarities: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    check_shape(similarities, (None,), name=name)
    if not len(similarities) or np.isnan(similarities).any():
        raise RangeError(f"The {name} are empty or hold NaN.")
    return np.asarray(similarities, dtype=np.float64)
