import numpy as np
import pytest

from forensic.errors import CalibrationError, RangeError
from forensic.stats.calibration import (
    CalibrationSet,
    after_search,
    fit_logistic,
    fit_pav,
)
from forensic.stats.cllr import decompose


def _set(separation: float, n: int = 3000, seed: int = 0) -> CalibrationSet:
    generator = np.random.default_rng(seed)
    mated, nonmated = (0.4 + 0.1 * generator.normal(mean, 1, n) for mean in (separation, 0))
    return CalibrationSet(mated, nonmated, "viewed")


def test_logistic_finds_the_line_of_two_gaussians() -> None:
    fitted = fit_logistic(_set(2.0, n=20_000))
    # Unit Gaussians two apart: ln LR = 2 (z - 1) with z = (similarity - 0.4) / 0.1.
    assert fitted.slope * np.log(10) == pytest.approx(20, rel=0.05)
    assert fitted.log10_lr(np.array([0.5]))[0] == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("fit", [fit_logistic, fit_pav])
def test_new_data_are_calibrated(fit: object) -> None:
    assert callable(fit)
    fitted, fresh = fit(_set(2.0)), _set(2.0, seed=1)
    result = decompose(fitted.log10_lr(fresh.mated), fitted.log10_lr(fresh.nonmated))
    assert result.calibration < 0.03
    assert result.total < 0.6


@pytest.mark.parametrize("fit", [fit_logistic, fit_pav])
def test_ratios_rise_are_finite_and_stay_within_bounds(fit: object) -> None:
    assert callable(fit)
    fitted = fit(_set(2.0, n=300))
    values = fitted.log10_lr(np.linspace(-50, 50, 501))
    assert (np.diff(values) >= 0).all()
    assert values.min() >= fitted.bounds[0]
    assert values.max() <= fitted.bounds[1]
    assert fitted.sketch_kind == "viewed"


@pytest.mark.parametrize("fit", [fit_logistic, fit_pav])
def test_separated_sets_give_no_boundless_ratio(fit: object) -> None:
    assert callable(fit)
    apart = CalibrationSet(np.linspace(0.8, 0.9, 60), np.linspace(0.1, 0.2, 500), "viewed")
    strongest = fit(apart).log10_lr(np.array([1.0]))[0]
    assert 0 < strongest <= np.log10(501)


@pytest.mark.parametrize("fit", [fit_logistic, fit_pav])
def test_small_and_broken_sets_are_refused(fit: object) -> None:
    assert callable(fit)
    many = np.linspace(0, 1, 500)
    with pytest.raises(CalibrationError, match="at least 50 finite mated"):
        fit(CalibrationSet(many[:49], many, "viewed"))
    with pytest.raises(CalibrationError, match="at least 200 finite non-mated"):
        fit(CalibrationSet(many, many[:100], "viewed"))
    with pytest.raises(CalibrationError):
        fit(CalibrationSet(many, np.append(many, np.nan), "viewed"))


def test_similarities_that_say_nothing_or_the_opposite_are_refused() -> None:
    with pytest.raises(CalibrationError, match="not more similar"):
        fit_logistic(_set(-2.0))
    with pytest.raises(CalibrationError, match="equal"):
        fit_logistic(CalibrationSet(np.ones(60), np.ones(300), "viewed"))


def test_a_selected_candidate_is_worth_less_by_the_number_searched() -> None:
    result = after_search(4.0, searched=1000)
    assert result.corrected_log10_lr == pytest.approx(1.0)
    assert "1000 people" in result.warning
    assert after_search(4.0, searched=1).corrected_log10_lr == 4.0
    with pytest.raises(RangeError):
        after_search(4.0, searched=0)
