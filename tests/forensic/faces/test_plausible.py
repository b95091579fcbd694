import numpy as np
import pytest

from forensic.faces.landmarks import ALIGNED
from forensic.faces.plausible import is_plausible
from forensic.values import Landmarks

MEAN = ALIGNED["cufs"].landmarks


def _turned(degrees: float) -> Landmarks:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ((MEAN - MEAN.mean(axis=0)) @ turn.T * 2 + 300).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 30, -45])
def test_a_mean_face_is_plausible_at_any_size_and_tilt_up_to_the_limit(degrees: float) -> None:
    assert is_plausible(_turned(degrees))


def test_a_face_on_its_side_is_not() -> None:
    assert not is_plausible(_turned(60))


@pytest.mark.parametrize(
    ("point", "to"),
    [
        (2, (100, 110)),  # nose above the eyes
        (2, (160, 153)),  # nose beside the face
        (3, (115, 181)),  # mouth too narrow
        (3, (79, 150)),  # mouth tilted
        (4, (190, 181)),  # mouth too wide
    ],
)
def test_one_misplaced_point_gives_it_away(point: int, to: tuple[float, float]) -> None:
    moved = MEAN.copy()
    moved[point] = to
    assert not is_plausible(moved)


def test_points_that_are_no_upright_face_are_not_plausible() -> None:
    assert not is_plausible(MEAN[[3, 4, 2, 0, 1]])
    assert not is_plausible(np.zeros((5, 2), np.float32))
