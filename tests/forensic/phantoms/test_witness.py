"""A witness moves features a little, repeatably, and never invents colours."""

from __future__ import annotations

import numpy as np
import pytest

from forensic.errors import DtypeError, RangeError
from forensic.phantoms.witness import misremember
from tests.support.images import face_landmarks, face_photo


def test_memory_without_error_is_the_picture() -> None:
    photo, landmarks = face_photo(1), face_landmarks(1)
    recalled, points = misremember(photo, landmarks, seed=3, strength=0.0)
    assert np.array_equal(recalled, photo)
    assert np.array_equal(points, landmarks)


def test_errors_are_repeatable_and_differ_between_witnesses() -> None:
    photo, landmarks = face_photo(1), face_landmarks(1)
    recalled, points = misremember(photo, landmarks, seed=3)
    again, same_points = misremember(photo, landmarks, seed=3)
    assert np.array_equal(recalled, again)
    assert np.array_equal(points, same_points)
    assert not np.array_equal(recalled, misremember(photo, landmarks, seed=4)[0])
    assert recalled.shape == photo.shape
    assert recalled.dtype == np.uint8


def test_features_move_by_about_the_strength() -> None:
    ramp = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (250, 1, 3))
    moved_px = misremember(ramp, face_landmarks(1), seed=5, strength=0.02)[0]
    moved_px = moved_px[60:190, 50:150, 0].astype(float)
    moved_px -= ramp[60:190, 50:150, 0]
    assert 1.0 < np.abs(moved_px).max() < 15.0, "the standard deviation is 5 px"


def test_landmarks_move_with_the_picture() -> None:
    landmarks = face_landmarks(1)
    dots = np.zeros((250, 200, 3), np.uint8)
    for x, y in np.rint(landmarks).astype(int):
        dots[y - 2 : y + 3, x - 2 : x + 3] = 255
    recalled, points = misremember(dots, np.rint(landmarks), seed=6, strength=0.02)
    for x, y in points:
        rows, columns = np.mgrid[int(y) - 5 : int(y) + 7, int(x) - 5 : int(x) + 7]
        weights = recalled[rows, columns, 0].astype(float)
        centre = [(columns * weights).sum(), (rows * weights).sum()] / weights.sum()
        assert np.abs(centre - (x, y)).max() < 0.7
    assert np.abs(points - landmarks).max() > 1.5


def test_bad_input_is_refused() -> None:
    with pytest.raises(RangeError):
        misremember(face_photo(1), face_landmarks(1), seed=1, strength=0.5)
    with pytest.raises(DtypeError):
        misremember(face_photo(1).astype(float), face_landmarks(1), seed=1)  # type: ignore[arg-type]
