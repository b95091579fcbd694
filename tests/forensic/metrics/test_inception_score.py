"""The inception score at its limits."""

import numpy as np
import pytest

from forensic.errors import RangeError, ShapeError
from forensic.metrics.inception_score import inception_score


def test_one_clear_class_an_image_all_classes_alike_gives_their_number() -> None:
    assert inception_score(np.eye(7), n_splits=1) == (pytest.approx(7), 0)


def test_images_that_say_nothing_and_images_of_one_class_score_one() -> None:
    assert inception_score(np.full((6, 3), 1 / 3), n_splits=2)[0] == pytest.approx(1)
    assert inception_score(np.tile([1.0, 0, 0], (6, 1)), n_splits=2)[0] == pytest.approx(1)


def test_value_by_hand() -> None:
    odds = np.array([[0.8, 0.2], [0.4, 0.6]])
    m = np.array([0.6, 0.4])
    wanted = np.exp((odds * np.log(odds / m)).sum(axis=1).mean())
    assert inception_score(odds, n_splits=1)[0] == pytest.approx(wanted)


def test_deviation_over_parts() -> None:
    halves = np.concatenate([np.eye(2), np.full((2, 2), 0.5)])
    mean, deviation = inception_score(halves, n_splits=2)
    assert (mean, deviation) == (pytest.approx(1.5), pytest.approx(0.5))


def test_refused() -> None:
    with pytest.raises(RangeError):
        inception_score(np.eye(3), n_splits=4)
    with pytest.raises(ShapeError):
        inception_score(np.ones(3))
