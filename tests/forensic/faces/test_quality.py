"""Sharpness falls with blur, and does not depend on exposure or on the geometry's size."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from forensic.errors import DtypeError, ShapeError
from forensic.faces.quality import sharpness
from tests.support.images import face_photo

FACE = face_photo(1, size_hw=(112, 112))


def blurred(radius):
    return np.asarray(Image.fromarray(FACE).filter(ImageFilter.GaussianBlur(radius)))


def test_falls_with_blur():
    measured = [sharpness(blurred(radius)) for radius in (0, 1, 2, 4)]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > 3 * measured[2]


def test_exposure_does_not_matter():
    darker = (FACE // 2).astype(np.uint8)
    assert sharpness(darker) == pytest.approx(sharpness(FACE), rel=0.05)


def test_chessboard_by_hand():
    """Every pixel differs by 2a from each of its four neighbours: Laplacian ±8a, contrast a."""
    board = (np.indices((112, 112)).sum(axis=0) % 2 * 100).astype(np.uint8)
    assert sharpness(np.repeat(board[:, :, None], 3, axis=2)) == pytest.approx(8.0)


def test_one_tone_has_none():
    assert sharpness(np.full((160, 160, 3), 90, np.uint8)) == 0.0


def test_what_is_no_face_is_refused():
    with pytest.raises(ShapeError):
        sharpness(np.zeros((112, 112), np.uint8))
    with pytest.raises(DtypeError):
        sharpness(np.zeros((112, 112, 3), np.float32))
