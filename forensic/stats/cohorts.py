"""Error rates per cohort at one threshold. Labels are given by the user, never inferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import RangeError
from forensic.stats.binomial import Interval, clopper_pearson
from forensic.stats.openset import MatedSearches


@dataclass(frozen=True)
class CohortRates:
    """Error rates of one group of people at the threshold that serves everybody.

    A rate and its interval are None where the group had no search of that kind.
    """

    name: str
    mated: int
    fnir: float | None
    fnir_ci95: Interval | None
    nonmated: int
    fpir: float | None
    fpir_ci95: Interval | None


def cohort_rates(
    searches: MatedSearches,
    mated_cohorts: Sequence[str],
    nonmated_top: NDArray[np.float64],
    nonmated_cohorts: Sequence[str],
    *,
    threshold: float,
    max_rank: int | None = None,
) -> list[CohortRates]:
    """Return FNIR and FPIR of every cohort, sorted by name, at one global threshold.

    Args:
        searches: Mated searches.
        mated_cohorts: (n,) label of each mated probe.
        nonmated_top: (m,) highest similarity of each non-mated search; may be empty.
        nonmated_cohorts: (m,) label of each non-mated probe.
        threshold: Least similarity that counts as a candidate.
        max_rank: Length of the candidate list; None for no limit.

    Raises:
        ShapeError: Labels and searches differ in number.

    Source:
        ISO/IEC 19795-10:2024 for what to report; Clopper-Pearson intervals.
    """
    own, other = np.asarray(mated_cohorts, dtype=object), np.asarray(nonmated_cohorts, dtype=object)
    check_shape(own, searches.similarities.shape, name="cohorts of mated probes")
    check_shape(other, nonmated_top.shape, name="cohorts of non-mated probes")
    limit = np.inf if max_rank is None else max_rank
    missed = ~((searches.similarities >= threshold) & (searches.ranks <= limit))
    missed |= np.isinf(searches.ranks)
    alarmed = nonmated_top >= threshold
    return [
        _rates(str(name), missed[own == name], alarmed[other == name])
        for name in sorted({*mated_cohorts, *nonmated_cohorts})
    ]


def max_over_geometric_mean(rates: Sequence[float]) -> float | None:
    """Return the worst rate over the geometric mean of all; 1 is parity, higher is worse.

    Returns:
        The ratio, or None when a rate is 0: the groups are then too small to tell.

    Raises:
        RangeError: No rate, or one outside 0 to 1.

    Source:
        Grother, Face Recognition Vendor Test part 8, NISTIR 8429 (2022).
    """
    values = np.asarray(rates, dtype=np.float64)
    if not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise RangeError("Rates must be at least one number from 0 to 1.")
    if (values == 0).any():
        return None
    return float(values.max() / np.exp(np.log(values).mean()))


def _rates(name: str, missed: NDArray[np.bool_], alarmed: NDArray[np.bool_]) -> CohortRates:
    misses, alarms = int(missed.sum()), int(alarmed.sum())
    return CohortRates(
        name=name,
        mated=len(missed),
        fnir=misses / len(missed) if len(missed) else None,
        fnir_ci95=clopper_pearson(misses, len(missed)) if len(missed) else None,
        nonmated=len(alarmed),
        fpir=alarms / len(alarmed) if len(alarmed) else None,
        fpir_ci95=clopper_pearson(alarms, len(alarmed)) if len(alarmed) else None,
    )
