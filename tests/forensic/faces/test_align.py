import numpy as np
import pytest

from forensic.errors import LandmarksError, UnknownNameError
from forensic.faces.align import ARCFACE_112, TEMPLATES, align_face
from forensic.faces.geometry import map_points
from tests.support.images import face_landmarks, face_photo

TURN = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
FACE = np.array([(70, 118), (121, 125), (97, 150), (76, 176), (118, 181)], dtype=np.float32)


def _heights_and_center(landmarks: np.ndarray) -> list[float]:
    """Return eye height, mouth height and mean x."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    return [eyes[1], mouth[1], (eyes[0] + mouth[0]) / 2]


@pytest.mark.parametrize(("name", "unit"), [("csi-96", 1), ("csi-96-roll", 1), ("csi-192", 2)])
def test_csi_heights_are_those_of_the_paper(name: str, unit: int) -> None:
    moved = map_points(TEMPLATES[name].matrix(FACE), FACE)
    np.testing.assert_allclose(
        _heights_and_center(moved), [38 * unit, 70 * unit, 48 * unit], atol=1e-4
    )


def test_csi_does_not_turn_unless_asked() -> None:
    plain, level = (TEMPLATES[name].matrix(FACE) for name in ("csi-96", "csi-96-roll"))
    assert plain[0, 1] == plain[1, 0] == 0
    eyes = map_points(level, FACE)[:2]
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=1e-4)


def test_a_similar_copy_of_a_template_lands_on_its_points() -> None:
    copy = (ARCFACE_112 @ TURN.T) * 3.7 + (40, 90)
    landed = map_points(TEMPLATES["arcface-112"].matrix(copy.astype(np.float32)), copy)
    np.testing.assert_allclose(landed, ARCFACE_112, atol=1e-3)


def test_arcface_narrow_is_the_middle_of_the_square_one() -> None:
    photo, landmarks = face_photo(0), face_landmarks(0)
    square, _ = align_face(photo, landmarks, "arcface-112")
    narrow, _ = align_face(photo, landmarks, "arcface-112x96")
    assert narrow.shape == (112, 96, 3)
    difference = np.abs(narrow.astype(int) - square[:, 8:104])
    assert difference.mean() < 4  # the phase of the area-averaging may differ


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_every_template_gives_its_size_with_the_landmarks_inside(name: str) -> None:
    face, moved = align_face(face_photo(1), face_landmarks(1), name)
    height, width = TEMPLATES[name].size_hw
    assert face.shape == (height, width, 3)
    assert ((moved > 0) & (moved < (width, height))).all()


def test_moving_the_picture_does_not_change_the_aligned_face() -> None:
    photo, landmarks = face_photo(2), face_landmarks(2)
    padded = np.pad(photo, ((30, 10), (17, 5), (0, 0)), mode="edge")
    one, _ = align_face(photo, landmarks, "arcface-112")
    other, _ = align_face(padded, np.add(landmarks, (17, 30)), "arcface-112")
    assert np.abs(one.astype(int) - other).mean() < 4


def test_impossible_landmarks_and_names_are_refused() -> None:
    upside_down = FACE[[3, 4, 2, 0, 1]]
    with pytest.raises(LandmarksError, match="upright"):
        align_face(face_photo(0), upside_down, "csi-96")
    with pytest.raises(UnknownNameError, match="arcface-112"):
        align_face(face_photo(0), FACE, "arcface")
