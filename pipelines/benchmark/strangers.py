"""Searches for people who are not enrolled: open-set rates, and rates per cohort."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from forensic.reports.sections import (
    CohortRecord,
    CohortsRecord,
    DetRecord,
    OpenSetMethod,
    OpenSetRecord,
    OperatingRecord,
)
from forensic.stats.cohorts import cohort_rates, max_over_geometric_mean
from forensic.stats.openset import (
    MatedSearches,
    det_curve,
    operating_point,
    threshold_for_fpir,
)
from pipelines.benchmark.scoring import Searches

CURVE_POINTS = 400


def open_set_record(
    mated: Mapping[str, Searches],
    nonmated: Mapping[str, Searches],
    nonmated_ids: Sequence[str],
    *,
    fpirs: Sequence[float],
) -> OpenSetRecord:
    """Return FNIR at each wanted FPIR, and the trade-off curve, of every method.

    Args:
        mated: Searches by method for people who are in the gallery.
        nonmated: Searches for people who are not.
        nonmated_ids: Name of each non-mated probe.
        fpirs: Wanted rates of false alarms, 0 to 1.

    Raises:
        RangeError: A rate lies outside 0 to 1, or no search gave a candidate.
    """
    first = next(iter(nonmated.values()))
    return OpenSetRecord(
        nonmated=len(nonmated_ids),
        nonmated_failures=int(np.isneginf(first.top).sum()),
        methods={
            name: _method(_searches(found), nonmated[name].top, nonmated_ids, fpirs)
            for name, found in mated.items()
        },
    )


def cohort_records(
    mated: Mapping[str, Searches],
    nonmated: Mapping[str, Searches],
    labels: Mapping[str, Mapping[str, str]],
    *,
    mated_ids: Sequence[str],
    nonmated_ids: Sequence[str],
    fpir: float,
) -> list[CohortsRecord]:
    """Return FNIR and FPIR per cohort for every column of labels and every method.

    Args:
        mated: Searches by method for people who are in the gallery.
        nonmated: Searches for people who are not.
        labels: By column, the label of each probe; a probe without one is left out.
        mated_ids: Name of each mated probe.
        nonmated_ids: Name of each non-mated probe.
        fpir: Wanted rate of false alarms over all non-mated probes; it sets the threshold.

    Raises:
        RangeError: The rate lies outside 0 to 1.
    """
    return [
        _cohorts(column, name, (mated[name], nonmated[name]), (own, other), fpir)
        for column, of_probe in labels.items()
        for own in [[of_probe.get(probe) for probe in mated_ids]]
        for other in [[of_probe.get(probe) for probe in nonmated_ids]]
        for name in mated
    ]


def thinned(n: int, most: int = CURVE_POINTS) -> NDArray[np.intp]:
    """Return at most `most` evenly spread positions out of `n`, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))


def _searches(found: Searches) -> MatedSearches:
    return MatedSearches(similarities=found.mate, ranks=found.ranks)


def _method(
    searches: MatedSearches, top: NDArray[np.float64], ids: Sequence[str], fpirs: Sequence[float]
) -> OpenSetMethod:
    curve = det_curve(searches, top)
    kept = thinned(len(curve[0]))
    thresholds, fpir, fnir = (values[kept].tolist() for values in curve)
    return OpenSetMethod(
        points=[_operating(searches, top, wanted) for wanted in fpirs],
        det=DetRecord(threshold=thresholds, fpir=fpir, fnir=fnir),
        nonmated_top={
            probe: float(value) if np.isfinite(value) else None
            for probe, value in zip(ids, top, strict=True)
        },
    )


def _operating(searches: MatedSearches, top: NDArray[np.float64], wanted: float) -> OperatingRecord:
    point = operating_point(searches, top, threshold_for_fpir(top, wanted))
    return OperatingRecord(
        fpir_wanted=wanted,
        resolved=wanted * len(top) >= 1 - 1e-9,
        threshold=_finite(point.threshold),
        fnir=point.fnir,
        fnir_ci95=point.fnir_ci95,
        fpir=point.fpir,
        fpir_ci95=point.fpir_ci95,
    )


def _cohorts(
    column: str,
    method: str,
    searches: tuple[Searches, Searches],
    labels: tuple[list[str | None], list[str | None]],
    fpir: float,
) -> CohortsRecord:
    mated, nonmated = searches
    own, other = labels
    # The threshold is everybody's: those without a label help to set it.
    threshold = threshold_for_fpir(nonmated.top, fpir)
    has, has_other = (np.array([label is not None for label in side]) for side in labels)
    rates = cohort_rates(
        MatedSearches(mated.mate[has], mated.ranks[has]),
        [label for label in own if label is not None],
        nonmated.top[has_other],
        [label for label in other if label is not None],
        threshold=threshold,
    )
    return CohortsRecord(
        column=column,
        method=method,
        fpir_wanted=fpir,
        threshold=_finite(threshold),
        unlabelled=int((~has).sum() + (~has_other).sum()),
        cohorts=[CohortRecord(**asdict(rate)) for rate in rates],
        fnir_max_over_geometric_mean=_spread([rate.fnir for rate in rates]),
        fpir_max_over_geometric_mean=_spread([rate.fpir for rate in rates]),
    )


def _spread(rates: Sequence[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return max_over_geometric_mean(known) if len(known) > 1 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
