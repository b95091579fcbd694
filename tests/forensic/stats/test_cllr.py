import numpy as np
import pytest

from forensic.errors import RangeError
from forensic.stats.cllr import (
    cllr,
    cross_entropy,
    decompose,
    ece_points,
    elub_bounds,
    pav_log10_lr,
    tippett_points,
)


def _normal(separation: float, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated natural log LRs of two unit Gaussians, as log10."""
    generator = np.random.default_rng(seed)
    half = separation**2 / 2
    mated, nonmated = (generator.normal(sign * half, separation, n) for sign in (1, -1))
    return mated / np.log(10), nonmated / np.log(10)


def test_saying_nothing_costs_one_bit() -> None:
    assert cllr(np.zeros(4), np.zeros(9)) == pytest.approx(1)


def test_value_by_hand() -> None:
    # LR 4 for a mated pair: log2(1 + 1/4); LR 1/2 for a non-mated one: log2(1 + 1/2).
    expected = (np.log2(1.25) + np.log2(1.5)) / 2
    assert cllr(np.log10([4.0]), np.log10([0.5])) == pytest.approx(expected)


def test_certainty_costs_nothing_when_right_and_everything_when_wrong() -> None:
    certain, absurd = np.array([np.inf]), np.array([-np.inf])
    assert cllr(certain, absurd) == 0
    assert cllr(absurd, certain) == np.inf


def test_calibrated_ratios_have_no_calibration_loss_and_shifted_ones_do() -> None:
    mated, nonmated = _normal(2.0, 4000)
    good = decompose(mated, nonmated)
    assert good.calibration < 0.02
    bad = decompose(mated + 1, nonmated + 1)
    assert bad.discrimination == pytest.approx(good.discrimination)
    assert bad.calibration > 0.1
    assert bad.total == pytest.approx(bad.discrimination + bad.calibration)


def test_pav_by_hand_pools_ties_and_violators() -> None:
    # Sorted shares: 0 | tie 1/2 | 1, prior odds 1: log10 LR -inf, 0, +inf.
    mated, nonmated = pav_log10_lr(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    assert mated.tolist() == [0, np.inf]
    assert nonmated.tolist() == [-np.inf, 0]
    upside_down = pav_log10_lr(np.array([1.0]), np.array([2.0]))
    assert [part.tolist() for part in upside_down] == [[0], [0]]


def test_pav_weighs_the_two_sets_alike() -> None:
    mated, _ = pav_log10_lr(np.array([1.0]), np.ones(1000))
    assert mated[0] == pytest.approx(0, abs=1e-9)


def test_entropy_at_even_odds_is_cllr_and_pav_is_below_everything() -> None:
    mated, nonmated = _normal(1.5, 500)
    assert cross_entropy(mated, nonmated, 0) == cllr(mated, nonmated)
    own, best, silent = ece_points(mated, nonmated, np.linspace(-2, 2, 9))
    assert (best <= own + 1e-12).all()
    assert (best <= silent + 1e-12).all()
    assert silent[4] == pytest.approx(1)


def test_tippett_is_the_share_at_least_as_large() -> None:
    values, share = tippett_points(np.array([2.0, -1.0, 0.5, 0.5]))
    assert values.tolist() == [-1, 0.5, 0.5, 2]
    assert share.tolist() == [1, 0.75, 0.75, 0.25]


def test_bounds_of_separated_sets_are_their_sizes() -> None:
    low, high = elub_bounds(np.full(200, 12.0), np.full(1000, -12.0))
    assert high == pytest.approx(np.log10(200 / 201 * 1001))
    assert low == pytest.approx(-np.log10(1000 / 1001 * 201))


def test_bounds_of_useless_ratios_are_nothing() -> None:
    generator = np.random.default_rng(4)
    mated, nonmated = generator.normal(size=(2, 300))
    low, high = elub_bounds(mated, nonmated)
    assert -0.35 < low <= 0 <= high < 0.35


def test_bounds_mirror_when_the_hypotheses_swap() -> None:
    mated, nonmated = _normal(2.0, 300)
    low, high = elub_bounds(mated, nonmated)
    assert elub_bounds(-nonmated, -mated) == pytest.approx((-high, -low))
    assert 0.5 < high < 2.5


def test_bound_agrees_with_a_fine_search_of_thresholds() -> None:
    mated, nonmated = _normal(2.0, 150, seed=9)
    grid = np.arange(0.0001, 4, 0.0005)
    missed = ((mated[:, None] <= grid).sum(0) + 1) / 151
    alarms = ((nonmated[:, None] > grid).sum(0) + 1) / 151
    worse = np.flatnonzero(missed + 10**grid * alarms > 1)
    assert elub_bounds(mated, nonmated)[1] == pytest.approx(grid[worse[0]], abs=0.001)


@pytest.mark.parametrize("bad", [np.empty(0), np.array([np.nan])])
def test_refused_input(bad: np.ndarray) -> None:
    good = np.zeros(3)
    for function in (cllr, decompose, elub_bounds):
        with pytest.raises(RangeError):
            function(bad, good)
        with pytest.raises(RangeError):
            function(good, bad)
    with pytest.raises(RangeError):
        tippett_points(bad)
