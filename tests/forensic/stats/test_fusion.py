import numpy as np
import pytest

from forensic.errors import CalibrationError, ShapeError
from forensic.stats.fusion import fit_fusion


def searches(strengths: list[float], n: int = 80, size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of parts that are that much higher for the right photo, and the answers."""
    draw = np.random.default_rng(0)
    mates = draw.integers(0, size, n)
    scores = draw.normal(0, 1, (len(strengths), n, size))
    for part, strength in enumerate(strengths):
        scores[part, np.arange(n), mates] += strength
    return scores, mates


def found(total: np.ndarray, mates: np.ndarray) -> float:
    return float((total.argmax(axis=1) == mates).mean())


def test_better_parts_weigh_more_and_useless_ones_next_to_nothing() -> None:
    scores, mates = searches([3.0, 1.5, 0.0])
    weights = fit_fusion(scores, mates, sketch_kind="viewed").weights
    # for normal scores of one width the best weights are in proportion to the strengths
    assert weights[0] / weights[1] == pytest.approx(2.0, rel=0.35)
    assert abs(weights[2]) < 0.12 * weights[0]


def test_the_sum_finds_more_than_its_best_part() -> None:
    scores, mates = searches([2.0, 2.0])
    weights = fit_fusion(scores, mates, sketch_kind="viewed").weights
    total = np.tensordot(weights, scores, axes=1)
    assert found(total, mates) > max(found(part, mates) for part in scores)


def test_no_part_counts_against_the_right_photo() -> None:
    scores, mates = searches([3.0, -2.0])
    weights = fit_fusion(scores, mates, sketch_kind="viewed").weights
    assert weights[1] == 0


def test_the_sum_reads_as_odds_whatever_the_scale_of_a_score() -> None:
    scores, mates = searches([3.0], n=800, size=10)
    plain = fit_fusion(scores, mates, sketch_kind="viewed")
    small = fit_fusion(scores / 10, mates, sketch_kind="viewed")
    assert small.weights[0] == pytest.approx(10 * plain.weights[0], rel=1e-3)
    # log odds of N(3, 1) against N(0, 1) are 3 s - 4.5; the prior of one observation shrinks them
    assert plain.weights[0] == pytest.approx(3 / np.log(10), rel=0.2)
    assert plain.intercept == pytest.approx(-4.5 / np.log(10), rel=0.2)


def test_too_little_or_nothing_to_learn_from() -> None:
    scores, mates = searches([3.0])
    with pytest.raises(CalibrationError, match="at least 50"):
        fit_fusion(scores[:, :20], mates[:20], sketch_kind="viewed")
    with pytest.raises(CalibrationError, match="same score"):
        fit_fusion(np.zeros((1, 60, 5)), np.zeros(60, dtype=int), sketch_kind="viewed")
    with pytest.raises(CalibrationError, match="No part"):
        fit_fusion(-scores, mates, sketch_kind="viewed")
    with pytest.raises(ShapeError):
        fit_fusion(scores[0], mates, sketch_kind="viewed")
