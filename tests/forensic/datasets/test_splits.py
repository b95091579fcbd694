import numpy as np
import pytest

from forensic.datasets.splits import leaky_split, split_of_subject
from forensic.errors import RangeError

PEOPLE = [f"lfw/Person_{i}" for i in range(2000)]


def held_out(fraction: float, seed: int = 0) -> set[str]:
    return {
        person
        for person in PEOPLE
        if split_of_subject(person, validation_fraction=fraction, seed=seed) == "validation"
    }


def test_known_choices_never_change() -> None:
    """These belong to data sets that exist; another answer would move people between splits."""
    answers = [
        split_of_subject(person, validation_fraction=0.5, seed=0)
        for person in ("lfw/Ada", "lfw/Ben", "Güçlü", "")
    ]
    assert answers == ["train", "validation", "train", "validation"]


def test_share_is_the_one_asked_for() -> None:
    # 2000 fair draws of 0.1 lie within 5 deviations (67) of 200.
    assert 133 < len(held_out(0.1)) < 267


def test_smaller_fractions_are_subsets_and_the_ends_are_all_or_none() -> None:
    assert held_out(0.05) < held_out(0.1) < held_out(0.5)
    assert held_out(0) == set()
    assert held_out(1) == set(PEOPLE)


def test_another_seed_is_an_independent_split() -> None:
    both = held_out(0.5, seed=0) & held_out(0.5, seed=1)
    assert 400 < len(both) < 600


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_refused(fraction: float) -> None:
    with pytest.raises(RangeError, match="validation fraction"):
        split_of_subject("a", validation_fraction=fraction, seed=0)


def test_leaky_split_has_the_studys_sizes() -> None:
    is_test = leaky_split(1504)
    assert (is_test.sum(), (~is_test).sum()) == (300, 1204)
    assert np.array_equal(is_test, leaky_split(1504))
    assert not np.array_equal(is_test, leaky_split(1504, seed=1))
    with pytest.raises(RangeError):
        leaky_split(10, test_share=1.2)


def test_nearly_every_test_picture_of_the_study_has_a_sibling_in_training() -> None:
    person = np.arange(1504) // 8
    is_test = leaky_split(1504)
    assert set(person[is_test]) <= set(person[~is_test])
