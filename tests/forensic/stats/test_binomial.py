import numpy as np
import pytest
from scipy import stats

from forensic.errors import RangeError
from forensic.stats.binomial import (
    chance_rate,
    clopper_pearson,
    p_above,
    p_below,
    smallest_provable_rate,
    wilson,
    zero_failure_bound,
)


@pytest.mark.parametrize(
    ("percent", "low", "high"),
    [  # Intervals of CSI's Fig. 5 with n = 11,990, computed independently of this code.
        (81.14, 80.43, 81.84),
        (99.79, 99.69, 99.87),
        (1.42, 1.21, 1.65),
        (73.81, 73.01, 74.60),
        (2.38, 2.11, 2.67),
        (82.29, 81.60, 82.97),
    ],
)
def test_intervals_of_the_csi_paper(percent: float, low: float, high: float) -> None:
    ends = clopper_pearson(round(percent / 100 * 11_990), 11_990)
    assert [100 * end for end in ends] == pytest.approx([low, high], abs=0.006)


def test_published_and_limit_intervals() -> None:
    assert clopper_pearson(100, 100) == pytest.approx((0.9638, 1.0), abs=5e-5)
    assert clopper_pearson(41, 100) == pytest.approx((0.313, 0.513), abs=5e-4)
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert clopper_pearson(0, 10)[0] == 0


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (3, 7), (7, 7), (58, 100), (1, 1)])
def test_intervals_and_tests_agree_with_scipy(successes: int, trials: int) -> None:
    reference = stats.binomtest(successes, trials, 0.3, alternative="greater")
    exact = stats.binomtest(successes, trials).proportion_ci(method="exact")
    score = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert clopper_pearson(successes, trials) == pytest.approx((exact.low, exact.high))
    low, high = wilson(successes / trials, trials)
    assert (float(low), float(high)) == pytest.approx((score.low, score.high))
    assert p_above(successes, trials, 0.3) == pytest.approx(reference.pvalue)
    less = stats.binomtest(successes, trials, 0.3, alternative="less").pvalue
    assert p_below(successes, trials, 0.3) == pytest.approx(less)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.93])
def test_clopper_pearson_never_covers_less_than_it_claims(rate: float) -> None:
    trials = 30
    ends = [clopper_pearson(k, trials) for k in range(trials + 1)]
    covers = np.array([low <= rate <= high for low, high in ends])
    assert stats.binom.pmf(np.arange(trials + 1), trials, rate)[covers].sum() >= 0.95


def test_chance_and_its_test() -> None:
    assert chance_rate(1, 11_990) == pytest.approx(8.34e-5, rel=1e-3)
    assert chance_rate(50, 30) == 1
    assert p_above(0, 100, 0.01) == 1
    assert p_above(1, 100, 0.01) == pytest.approx(1 - 0.99**100)


def test_smallest_provable_rate_is_significant_and_one_less_is_not() -> None:
    rate = smallest_provable_rate(100, 0.8)
    assert rate is not None
    assert p_above(round(100 * rate), 100, 0.8) < 0.05
    assert p_above(round(100 * rate) - 1, 100, 0.8) >= 0.05
    assert smallest_provable_rate(5, 0.9) is None


def test_no_failure_seen_is_not_no_failure() -> None:
    assert zero_failure_bound(1000) == pytest.approx(0.003, abs=1e-5)


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(RangeError):
        clopper_pearson(*counts)
    with pytest.raises(RangeError):
        p_above(*counts, 0.5)


def test_wilson_refuses_percentages() -> None:
    with pytest.raises(RangeError):
        wilson([50.0], 100)
