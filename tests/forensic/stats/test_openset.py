import math

import numpy as np
import pytest

from forensic.errors import DataFolderError, RangeError, ShapeError
from forensic.stats.openset import (
    MatedSearches,
    check_disjoint,
    det_curve,
    operating_point,
    threshold_for_fpir,
)

SEARCHES = MatedSearches(
    similarities=np.array([0.9, 0.8, 0.6, -math.inf]), ranks=np.array([1, 3, 1, math.inf])
)
NONMATED = np.array([0.1, 0.2, 0.7, 0.85])


def test_point_by_hand() -> None:
    point = operating_point(SEARCHES, NONMATED, 0.7)
    assert (point.fnir, point.fpir) == (0.5, 0.5)  # .6 and the failure; .7 and .85
    assert operating_point(SEARCHES, NONMATED, 0.7, max_rank=1).fnir == 0.75
    assert point.fnir_ci95 == pytest.approx((0.0676, 0.9324), abs=1e-4)
    assert (point.mated, point.nonmated) == (4, 4)


def test_failure_to_enrol_is_missed_at_every_threshold() -> None:
    assert operating_point(SEARCHES, NONMATED, -math.inf).fnir == 0.25


@pytest.mark.parametrize("wanted", [0.0, 0.25, 0.3, 0.5, 1.0])
def test_threshold_keeps_the_promise_and_is_the_lowest(wanted: float) -> None:
    threshold = threshold_for_fpir(NONMATED, wanted)
    assert operating_point(SEARCHES, NONMATED, threshold).fpir <= wanted
    if wanted < 1:
        lower = operating_point(SEARCHES, NONMATED, float(np.nextafter(threshold, -1)))
        assert lower.fpir > wanted


def test_tied_false_alarms_are_all_kept_out() -> None:
    threshold = threshold_for_fpir(np.array([0.5, 0.5, 0.5, 0.1]), 0.5)
    assert operating_point(SEARCHES, np.array([0.5, 0.5, 0.5, 0.1]), threshold).fpir == 0


def test_curve_meets_every_operating_point() -> None:
    thresholds, fpir, fnir = det_curve(SEARCHES, NONMATED, max_rank=1)
    points = [operating_point(SEARCHES, NONMATED, float(t), max_rank=1) for t in thresholds]
    assert fpir.tolist() == pytest.approx([p.fpir for p in points])
    assert fnir.tolist() == pytest.approx([p.fnir for p in points])
    assert (fpir[-1], fnir[-1]) == (0, 1)
    assert (np.diff(fpir) <= 0).all()
    assert (np.diff(fnir) >= 0).all()


def test_people_in_both_sets_are_refused() -> None:
    check_disjoint({"a"}, {"b"})
    with pytest.raises(DataFolderError, match="ann, bob"):
        check_disjoint({"ann", "bob", "cy"}, {"bob", "ann"})


def test_refused_input() -> None:
    with pytest.raises(RangeError):
        operating_point(SEARCHES, np.empty(0), 0.5)
    with pytest.raises(RangeError):
        threshold_for_fpir(np.array([math.nan]), 0.1)
    with pytest.raises(ShapeError):
        det_curve(MatedSearches(np.ones(2), np.ones(3)), NONMATED)
