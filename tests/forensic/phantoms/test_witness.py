"""A witness moves features a little, repeatably, and never invents colours."""

from __future__ import annotations

import numpy as np
import pytest

from forensic.errors import DtypeError, RangeError
from forensic.phantoms.witness import misremember
from tests.support.images import face_photo


def test_memory_without_error_is_the_picture() -> None:
    photo = face_photo(1)
    assert np.array_equal(misremember(photo, seed=3, strength=0.0), photo)


def test_errors_are_repeatable_and_differ_between_witnesses() -> None:
    photo = face_photo(1)
    recalled = misremember(photo, seed=3)
    assert np.array_equal(recalled, misremember(photo, seed=3))
    assert not np.array_equal(recalled, misremember(photo, seed=4))
    assert recalled.shape == photo.shape
    assert recalled.dtype == np.uint8


def test_features_move_by_about_the_strength() -> None:
    ramp = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (250, 1, 3))
    moved_px = misremember(ramp, seed=5, strength=0.02)[60:190, 50:150, 0].astype(float)
    moved_px -= ramp[60:190, 50:150, 0]
    assert 1.0 < np.abs(moved_px).max() < 15.0, "the standard deviation is 5 px"


def test_bad_input_is_refused() -> None:
    with pytest.raises(RangeError):
        misremember(face_photo(1), seed=1, strength=0.5)
    with pytest.raises(DtypeError):
        misremember(face_photo(1).astype(float), seed=1)  # type: ignore[arg-type]
