"""Sharpness falls with blur alone; where and how a face lies is measured by known geometry."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from forensic.errors import DtypeError, LandmarksError, ShapeError
from forensic.faces.align import ARCFACE_112
from forensic.faces.quality import measure_face, sharpness
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


LEVEL = np.array([[40.0, 60], [80, 60], [60, 82], [44, 105], [76, 105]])


def test_measures_of_a_level_face():
    image = np.zeros((200, 200, 3), np.uint8)
    image[:, ::2] = 255
    measured = measure_face(image, LEVEL + 20)
    assert measured.eye_distance_px == pytest.approx(40)
    assert measured.roll_deg == 0
    assert measured.outside == 0
    assert measured.contrast > 0


def test_roll_and_distance_follow_a_turn():
    turn = np.deg2rad(20)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = (LEVEL - 60) @ rotation * 2 + 160
    measured = measure_face(np.zeros((400, 400, 3), np.uint8), points)
    assert measured.roll_deg == pytest.approx(20)
    assert measured.eye_distance_px == pytest.approx(80)
    assert (measured.contrast, measured.sharpness) == (0, 0)


def test_what_lies_beyond_the_border_is_counted():
    """The square of 112 pixels, half of it left of the picture's border."""
    whole = np.zeros((112, 112, 3), np.uint8)
    assert measure_face(whole, ARCFACE_112).outside == 0
    half = ARCFACE_112 - (56, 0)
    assert measure_face(np.zeros((112, 112, 3), np.uint8), half).outside == pytest.approx(0.5)


def test_landmarks_of_no_face_are_refused():
    with pytest.raises(LandmarksError):
        measure_face(np.zeros((100, 100, 3), np.uint8), LEVEL[::-1])
