import math

import numpy as np
import pytest

from forensic.errors import RangeError, ShapeError
from forensic.stats.cohorts import cohort_rates, max_over_geometric_mean
from forensic.stats.openset import MatedSearches

SEARCHES = MatedSearches(
    similarities=np.array([0.9, 0.4, 0.8, 0.7, -math.inf]),
    ranks=np.array([1.0, 1, 9, 1, math.inf]),
)


def test_rates_by_hand_at_one_threshold() -> None:
    rates = cohort_rates(
        SEARCHES,
        ["b", "b", "a", "a", "a"],
        np.array([0.6, 0.1]),
        ["b", "c"],
        threshold=0.5,
        max_rank=5,
    )
    a, b, c = rates
    assert [r.name for r in rates] == ["a", "b", "c"]
    assert a.fnir == pytest.approx(2 / 3)  # one behind rank 5, one not enrolled
    assert (a.nonmated, a.fpir, a.fpir_ci95) == (0, None, None)
    assert (b.fnir, b.fpir) == (0.5, 1.0)
    assert (c.mated, c.fnir, c.fpir) == (0, None, 0.0)
    assert c.fpir_ci95 == pytest.approx((0.0, 0.975))


def test_failure_to_enrol_is_missed_even_without_a_threshold() -> None:
    (rates,) = cohort_rates(SEARCHES, ["a"] * 5, np.empty(0), [], threshold=-math.inf)
    assert rates.fnir == pytest.approx(0.2)


def test_worst_over_geometric_mean() -> None:
    assert max_over_geometric_mean([0.1, 0.1, 0.1]) == pytest.approx(1)
    assert max_over_geometric_mean([0.01, 0.04]) == pytest.approx(2)
    assert max_over_geometric_mean([0.0, 0.1]) is None
    with pytest.raises(RangeError):
        max_over_geometric_mean([])


def test_labels_must_fit() -> None:
    with pytest.raises(ShapeError):
        cohort_rates(SEARCHES, ["a"], np.empty(0), [], threshold=0.5)
