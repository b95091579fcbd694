"""Strokes are traced, moved and drawn as algebra says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from forensic.errors import RangeError, ShapeError
from forensic.sketches.boundary import find_boundaries
from forensic.sketches.strokes import deform_strokes, draw_strokes, trace_strokes

Mask = NDArray[np.bool_]


def face() -> Mask:
    """Boundaries of an oval with two eyes in it."""
    y, x = np.mgrid[:128, :128]
    labels = np.zeros((128, 128), dtype=np.uint8)
    labels[((x - 64) / 40) ** 2 + ((y - 64) / 55) ** 2 < 1] = 10
    labels[(abs(x - 64) - 18) ** 2 + (y - 54) ** 2 < 60] = 4
    labels[100:, 50:78] = 14
    return find_boundaries(labels)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_every_pixel_returns_when_every_bend_is_kept(seed: int, density: float) -> None:
    lines = np.random.default_rng(seed).random((12, 15)) < density
    strokes = trace_strokes(lines, tolerance_px=0)
    np.testing.assert_array_equal(draw_strokes(strokes, (12, 15)), lines)


def test_face_returns_exactly() -> None:
    lines = face()
    assert lines.sum() > 1000
    again = draw_strokes(trace_strokes(lines, tolerance_px=0), (512, 512))
    np.testing.assert_array_equal(again, lines)


def test_corners_stay_within_the_tolerance() -> None:
    lines = face()
    strokes = trace_strokes(lines, tolerance_px=2)
    assert sum(map(len, strokes)) < lines.sum() / 5
    drawn = draw_strokes(strokes, (512, 512))
    half_a_pixel = np.sqrt(0.5)
    assert distance_transform_edt(~drawn)[lines].max() <= 2 + half_a_pixel
    assert distance_transform_edt(~lines)[drawn].max() <= 2 + half_a_pixel


def test_shapes_of_known_strokes() -> None:
    lines = np.zeros((9, 9), dtype=bool)
    lines[1, 1:8] = True  # a line with two ends
    lines[3:8, 4] = lines[5, 2:7] = True  # a cross
    lines[8, 8] = True  # a dot
    strokes = trace_strokes(lines)
    assert sorted(map(len, strokes)) == [1, 2, 2, 2, 2, 2]
    ends = {tuple(map(tuple, stroke)) for stroke in strokes}
    assert any({(1, 1), (7, 1)} == set(pair) for pair in ends)
    assert sum((4, 5) in pair for pair in ends) == 4


def test_closed_stroke_comes_back_to_its_start() -> None:
    lines = np.zeros((12, 12), dtype=bool)
    lines[[2, 9], 2:10] = lines[2:10, [2, 9]] = True
    (stroke,) = trace_strokes(lines)
    assert (stroke[0] == stroke[-1]).all()
    assert len(stroke) == 5


def test_no_offset_gives_the_same_strokes() -> None:
    strokes = trace_strokes(face())
    still = deform_strokes(strokes, max_offset_px=0, draw=np.random.default_rng(0))
    for before, after in zip(strokes, still, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("d", [11.0, 30.0])
def test_offsets_are_those_of_the_paper(d: float) -> None:
    strokes = [np.full((20_000, 2), 256.0)]
    (moved,) = deform_strokes(strokes, max_offset_px=d, draw=np.random.default_rng(1))
    offsets = (moved - strokes[0]).ravel()
    assert abs(offsets).max() <= d
    assert (offsets != 0).mean() == pytest.approx(0.5, abs=0.02)
    some = offsets[offsets != 0]
    assert some.mean() == pytest.approx(0, abs=0.02 * d)
    assert some.std() == pytest.approx(d / np.sqrt(3), rel=0.02)  # uniform
    assert np.asarray(np.corrcoef(moved.T))[0, 1] == pytest.approx(0, abs=0.03)  # each by itself


def test_no_drawn_pixel_lies_further_than_the_largest_offset() -> None:
    strokes = trace_strokes(face())
    moved = deform_strokes(strokes, draw=np.random.default_rng(2))
    before, after = draw_strokes(strokes, (512, 512)), draw_strokes(moved, (512, 512))
    assert (before != after).any()
    farthest = distance_transform_edt(~before)[after].max()
    assert farthest <= 11 * np.sqrt(2) + np.sqrt(2)  # both coordinates, and rounding of both


def test_chance_is_the_given_one_and_strokes_may_leave_the_picture() -> None:
    strokes = [np.array([[0.0, 0.0], [5.0, 5.0]])]
    first, second = (
        deform_strokes(strokes, max_offset_px=30, draw=np.random.default_rng(7)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert draw_strokes([np.array([[-9.0, 2.0], [3.0, 2.0]])], (5, 5)).sum() == 4


def test_refused() -> None:
    draw = np.random.default_rng(0)
    with pytest.raises(ShapeError):
        trace_strokes(np.zeros((2, 2, 1), dtype=bool))
    with pytest.raises(RangeError):
        trace_strokes(np.zeros((2, 2), dtype=bool), tolerance_px=-1)
    with pytest.raises(RangeError):
        deform_strokes([], max_offset_px=-1, draw=draw)
    with pytest.raises(RangeError):
        deform_strokes([], probability=1.5, draw=draw)
