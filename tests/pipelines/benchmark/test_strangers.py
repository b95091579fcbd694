import numpy as np
import pytest
from scipy import stats

from forensic.errors import RangeError
from pipelines.benchmark.scoring import Searches
from pipelines.benchmark.strangers import cohort_records, open_set_record, thinned

INF = np.inf


def _searches(mate: list[float], top: list[float]) -> Searches:
    own = np.array(mate)
    ranks = np.where(np.isfinite(own), 1.0, INF)
    return Searches(ranks, np.zeros(len(own), np.intp), np.array(top), own)


MATED = {"none": _searches([0.9, 0.8, 0.3, -INF], [0.9, 0.8, 0.95, 0.4])}
STRANGERS = {"none": _searches([-INF] * 5, [0.7, 0.6, 0.2, 0.1, -INF])}
IDS = ["q1", "q2", "q3", "q4", "q5"]


def test_rates_at_wanted_false_alarms_by_hand() -> None:
    record = open_set_record(MATED, STRANGERS, IDS, fpirs=(0.2, 0.4, 0.01))
    assert (record.nonmated, record.nonmated_failures) == (5, 1)
    fifth, two_fifths, unresolved = record.methods["none"].points
    assert 0.6 < (fifth.threshold or 0) < 0.7
    assert (fifth.fpir, fifth.fnir) == (0.2, 0.5)
    low, high = stats.binomtest(2, 4).proportion_ci(0.95, method="exact")
    assert fifth.fnir_ci95 == pytest.approx((low, high))
    assert (two_fifths.fpir, two_fifths.fnir) == (0.4, 0.25)  # 0.3 counts as well
    assert (unresolved.resolved, unresolved.fpir) == (False, 0)
    assert fifth.resolved
    det = record.methods["none"].det
    assert det.fpir == sorted(det.fpir, reverse=True)
    assert det.fnir == sorted(det.fnir)
    assert (det.fpir[-1], det.fnir[-1]) == (0, 1)
    assert record.methods["none"].nonmated_top == dict(
        zip(IDS, [0.7, 0.6, 0.2, 0.1, None], strict=True)
    )


def test_cohorts_share_one_threshold_and_leave_out_who_has_no_label() -> None:
    labels = {"group": {"a": "x", "b": "y", "c": "y", "q1": "x", "q2": "y", "q3": "y"}}
    (part,) = cohort_records(
        MATED, STRANGERS, labels, mated_ids=["a", "b", "c", "d"], nonmated_ids=IDS, fpir=0.2
    )
    x, y = part.cohorts
    assert (x.name, x.mated, x.fnir, x.nonmated, x.fpir) == ("x", 1, 0, 1, 1)
    assert (y.name, y.mated, y.fnir, y.nonmated, y.fpir) == ("y", 2, 0.5, 2, 0)
    assert part.unlabelled == 3
    assert part.fnir_max_over_geometric_mean is None  # a rate is zero
    (both,) = cohort_records(
        MATED, STRANGERS, {"group": {"a": "x", "d": "x", "b": "y", "c": "y"}},
        mated_ids=["a", "b", "c", "d"], nonmated_ids=IDS, fpir=0.2,
    )  # fmt: skip
    assert both.fnir_max_over_geometric_mean == pytest.approx(1)
    assert [group.fpir for group in both.cohorts] == [None, None]
    assert both.threshold == part.threshold


def test_rates_out_of_range_are_refused_and_curves_thinned_with_both_ends() -> None:
    with pytest.raises(RangeError):
        open_set_record(MATED, STRANGERS, IDS, fpirs=(1.5,))
    assert thinned(3).tolist() == [0, 1, 2]
    kept = thinned(10_000)
    assert (len(kept), kept[0], kept[-1]) == (400, 0, 9_999)
