import numpy as np
import pytest

from forensic.errors import RangeError, ShapeError
from forensic.stats.verification import acceptance_at, best_threshold, fold_accuracy

SAME = np.array([True] * 4 + [False] * 4)


def test_threshold_separates_what_can_be_separated() -> None:
    similarities = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1])
    assert best_threshold(similarities, SAME) == pytest.approx(0.5)
    assert best_threshold(similarities, np.ones(8, bool)) == -np.inf
    assert best_threshold(similarities, np.zeros(8, bool)) == np.inf


def test_equal_similarities_are_never_cut_apart() -> None:
    similarities = np.array([0.5, 0.5, 0.9])
    threshold = best_threshold(similarities, np.array([True, False, True]))
    assert threshold == -np.inf


def test_threshold_is_best_of_all_by_brute_force() -> None:
    generator = np.random.default_rng(0)
    similarities, labels = generator.normal(size=60).round(1), generator.random(60) < 0.4
    threshold = best_threshold(similarities, labels)
    reached = ((similarities >= threshold) == labels).sum()
    cuts = [-9, 9, *(similarities + 0.05)]
    assert reached == max(((similarities >= cut) == labels).sum() for cut in cuts)


def test_threshold_of_a_fold_comes_from_the_others() -> None:
    # Fold 1 alone would cut at 0.85; fold 0 cuts at 0.5, under which fold 1 has one error.
    similarities = np.array([0.9, 0.1, 0.9, 0.8])
    same, folds = np.array([True, False, True, False]), np.array([0, 0, 1, 1])
    result = fold_accuracy(similarities, same, folds)
    assert result.thresholds == pytest.approx([0.85, 0.5])
    assert result.accuracies.tolist() == [1.0, 0.5]
    assert (result.correct, result.pairs, result.mean) == (3, 4, 0.75)


def test_pair_that_could_not_be_compared_is_wrong_whatever_its_label() -> None:
    similarities = np.array([0.9, np.nan, 0.9, np.nan])
    same, folds = np.array([True, True, True, False]), np.array([0, 0, 1, 1])
    assert fold_accuracy(similarities, same, folds).correct == 2


def test_acceptance_counts_strictly_above_the_allowed_false_ones() -> None:
    similarities = np.array([0.9, 0.8, 0.3, np.nan, 0.85, 0.4, 0.2, 0.1])
    assert acceptance_at(similarities, SAME, 0.0) == 0.25
    assert acceptance_at(similarities, SAME, 0.25) == 0.5
    assert acceptance_at(similarities, SAME, 0.5) == 0.75
    assert acceptance_at(similarities, SAME, 1.0) == 0.75


def test_refused_input() -> None:
    with pytest.raises(RangeError, match="two folds"):
        fold_accuracy(np.ones(2), np.ones(2, bool), np.zeros(2, int))
    with pytest.raises(ShapeError):
        best_threshold(np.ones(2), np.ones(3, bool))
    with pytest.raises(RangeError):
        best_threshold(np.empty(0), np.empty(0, bool))
    with pytest.raises(RangeError, match="Both kinds"):
        acceptance_at(np.ones(2), np.ones(2, bool), 0.1)
