import numpy as np
import pytest
from scipy import stats

from forensic.errors import RangeError
from forensic.stats.multiplicity import benjamini_hochberg, holm


def test_holm_by_hand() -> None:
    # Sorted .005 .01 .03 .04 times 4 3 2 1 is .02 .03 .06 .04, and no value may fall.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg_agrees_with_scipy() -> None:
    p_values = np.random.default_rng(0).random(25)
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values))


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_limits(adjust: object) -> None:
    assert callable(adjust)
    assert adjust([]).shape == (0,)
    assert adjust([0.2]) == pytest.approx([0.2])
    assert adjust([0.9, 0.8, 0.7]).max() <= 1
    with pytest.raises(RangeError):
        adjust([0.5, 1.5])
    with pytest.raises(RangeError):
        adjust([float("nan")])


def test_holm_keeps_the_family_wise_error() -> None:
    p_values = np.random.default_rng(2).random((3000, 6))
    assert np.mean([(holm(row) < 0.05).any() for row in p_values]) < 0.06
