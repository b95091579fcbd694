"""Canny's edges where algebra puts them, and the drawings made of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forensic.errors import DtypeError, RangeError, ShapeError
from forensic.sketches.edges import (
    CannyStyle,
    ContourStyle,
    SimplifiedEdgesStyle,
    canny,
    long_lines,
)
from tests.support.images import face_photo

STYLES = [CannyStyle(), SimplifiedEdgesStyle(), ContourStyle()]


def step(level: int = 200, column: int = 32, side: int = 64) -> NDArray[np.uint8]:
    """A picture that is black left of a column and of one level from it on."""
    gray = np.zeros((side, side), dtype=np.uint8)
    gray[:, column:] = level
    return gray


def rgb(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(gray[:, :, None], 3, axis=2)


@pytest.mark.parametrize("turned", [False, True])
def test_a_step_is_one_line_one_pixel_wide(turned: bool) -> None:
    edges = canny(step().T if turned else step())
    edges = edges.T if turned else edges
    assert edges[1:-1].sum(axis=1).tolist() == [1] * 62
    (column,) = np.unique(np.nonzero(edges)[1])
    assert column in (31, 32)


def test_a_slanted_step_is_a_connected_line() -> None:
    rows, columns = np.mgrid[:64, :64]
    edges = canny(np.where(2 * rows + columns > 90, 180, 20).astype(np.uint8))
    assert long_lines(edges, at_least_px=30).sum() == edges.sum() > 0


def test_flat_pictures_have_no_edges() -> None:
    assert not canny(np.full((32, 32), 90, dtype=np.uint8)).any()


def test_thresholds_are_sobels_magnitude() -> None:
    """A blurred step of height h has slope h / (σ √(2π)) and eight times that in Sobel's units."""
    sigma, level = 3.0, 51
    slope = 8 * 0.2 / (sigma * np.sqrt(2 * np.pi))
    assert canny(step(level), sigma=sigma, low=0, high=slope * 0.95).any()
    assert not canny(step(level), sigma=sigma, low=0, high=slope * 1.05).any()


def test_a_weak_line_stays_only_where_it_joins_a_strong_one() -> None:
    faint_then_strong, apart = step(12), step(12)
    faint_then_strong[:, 32:] = np.linspace(12, 120, 64, dtype=np.uint8)[:, None]
    wanted = {"sigma": 1.0, "low": 0.1, "high": 0.5}
    assert canny(faint_then_strong, **wanted)[4:20].any()
    assert not canny(apart, **wanted).any()


def test_refused() -> None:
    with pytest.raises(ShapeError):
        canny(rgb(step()))
    with pytest.raises(RangeError, match="lower threshold"):
        canny(step(), low=0.3, high=0.2)
    with pytest.raises(RangeError, match="sigma"):
        canny(step(), sigma=-1)


def test_short_lines_go_and_long_ones_stay() -> None:
    edges = np.zeros((20, 20), dtype=bool)
    np.fill_diagonal(edges, True)  # connected by corners
    edges[15, 2:5] = True
    kept = long_lines(edges, at_least_px=4)
    assert kept.sum() == 20
    assert not kept[15, 2:5].any()
    assert not long_lines(np.zeros((4, 4), dtype=bool), at_least_px=1).any()


@pytest.mark.parametrize("style", STYLES, ids=lambda s: type(s).__name__)
def test_black_lines_on_white_paper(style: CannyStyle) -> None:
    sketch = style(rgb(step(side=128, column=64)))
    assert sketch.shape == (128, 128, 1)
    assert sketch.dtype == np.uint8
    assert sketch[64].min() == 0
    assert np.median(sketch) == 255
    assert abs(int(sketch[64, :, 0].argmin()) - 64) < 8
    assert (style(np.full((64, 64, 3), 77, dtype=np.uint8)) == 255).all()


@pytest.mark.parametrize("style", STYLES, ids=lambda s: type(s).__name__)
def test_sketches_of_faces_are_sparse_and_repeatable(style: CannyStyle) -> None:
    photo = face_photo(3)
    sketch = style(photo)
    assert 0.002 < (sketch < 128).mean() < 0.2
    assert (style(photo) == sketch).all()


def test_simplified_edges_leave_out_what_is_short() -> None:
    gray = step(side=256, column=128)
    gray[20:26, 20:26] = 255
    drawn = SimplifiedEdgesStyle()(rgb(gray))
    assert (drawn[10:40, 10:40] == 255).all()
    assert (CannyStyle()(rgb(gray))[10:40, 10:40] == 0).any()


def test_lines_closer_than_the_pen_become_one() -> None:
    gray = np.full((256, 256), 250, dtype=np.uint8)
    gray[:, 126:130] = 10
    row = SimplifiedEdgesStyle(sigma=1.0, pen_px=2.5)(rgb(gray))[128, :, 0] < 128
    assert np.abs(np.diff(row.astype(int))).sum() == 2  # white, one black stroke, white


def test_contours_slip_by_about_the_stated_pixels() -> None:
    picture = rgb(step(side=256, column=128))
    exact = ContourStyle(slip_px=0.0)(picture)[20:236, :, 0].argmin(axis=1)
    slipped = ContourStyle(slip_px=4.0)(picture)[20:236, :, 0].argmin(axis=1)
    assert np.ptp(exact) <= 1
    assert 1 < np.abs(slipped - exact).mean() < 12
    assert np.abs(np.diff(slipped)).max() <= 4  # a stroke, not scattered points


def test_other_pictures_slip_in_another_way() -> None:
    style = ContourStyle(slip_px=4.0)
    one, other = (style(rgb(step(level, 128, 256))) for level in (200, 201))
    assert (one != other).any()


@given(st.integers(16, 40), st.integers(16, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_any_picture_gives_a_drawing_of_its_size(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    for style in STYLES:
        assert style(noise).shape == (height, width, 1)


@pytest.mark.parametrize("style", STYLES, ids=lambda s: type(s).__name__)
def test_refused_pictures(style: CannyStyle) -> None:
    with pytest.raises(ShapeError):
        style(step())
    with pytest.raises(DtypeError):
        style(np.zeros((32, 32, 3)))  # type: ignore[arg-type]
