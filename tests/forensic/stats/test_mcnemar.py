import numpy as np
import pytest
from scipy import stats

from forensic.errors import RangeError, ShapeError
from forensic.stats.mcnemar import compare_paired, mcnemar_p, smallest_provable_gap


def _successes(pattern: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(pattern, dtype=bool)
    return table[:, 0], table[:, 1]


@pytest.mark.parametrize(("b", "c"), [(6, 0), (10, 3), (0, 1), (25, 40), (5, 5)])
def test_p_value_is_the_two_sided_binomial_test(b: int, c: int) -> None:
    assert mcnemar_p(b, c) == pytest.approx(stats.binomtest(b, b + c, 0.5).pvalue)


def test_baseline_of_the_fcn_paper_against_its_result() -> None:
    assert mcnemar_p(59, 0) == pytest.approx(3e-18, rel=0.2)  # 41 against 100 of 100


def test_six_one_sided_probes_are_the_least_that_shows_anything() -> None:
    assert mcnemar_p(5, 0) > 0.05 > mcnemar_p(6, 0)
    assert smallest_provable_gap(100) == 6
    assert smallest_provable_gap(5) is None
    assert smallest_provable_gap(100, alpha=0.01) == 8


def test_counts_effect_and_interval() -> None:
    first, second = _successes([(1, 1)] * 4 + [(1, 0)] * 3 + [(0, 1)] + [(0, 0)] * 2)
    result = compare_paired(first, second)
    assert (result.both, result.only_first, result.only_second, result.neither) == (4, 3, 1, 2)
    assert result.trials == 10
    assert result.rate_difference == pytest.approx(0.2)
    assert result.cohens_g == pytest.approx(0.25)
    exact = stats.binomtest(3, 4).proportion_ci(method="exact")
    assert result.first_share_ci95 == pytest.approx((exact.low, exact.high))
    assert result.mid_p == pytest.approx(0.625 - stats.binom.pmf(1, 4, 0.5))


def test_order_of_systems_does_not_change_the_p_value() -> None:
    first, second = _successes([(1, 0)] * 7 + [(0, 1)] * 2 + [(1, 1)])
    forth, back = compare_paired(first, second), compare_paired(second, first)
    assert forth.p_value == back.p_value
    assert forth.rate_difference == -back.rate_difference


def test_equal_systems_and_no_probes_show_nothing() -> None:
    same = np.array([True, False])
    assert compare_paired(same, same).p_value == 1
    assert compare_paired(same, same).mid_p == 1
    nothing = compare_paired(same[:0], same[:0])
    assert (nothing.rate_difference, nothing.cohens_g, nothing.smallest_gap) == (0, 0, None)


def test_false_alarm_rate_stays_below_five_percent() -> None:
    generator = np.random.default_rng(3)
    systems = generator.random((2, 2000, 60)) < 0.6
    false = [
        mcnemar_p(int((a & ~b).sum()), int((b & ~a).sum())) < 0.05
        for a, b in zip(*systems, strict=True)
    ]
    assert np.mean(false) < 0.05


def test_refused_input() -> None:
    with pytest.raises(ShapeError):
        compare_paired(np.ones(2, bool), np.ones(3, bool))
    with pytest.raises(RangeError, match="boolean"):
        compare_paired(np.ones(2), np.ones(2))
    with pytest.raises(RangeError):
        mcnemar_p(-1, 4)
