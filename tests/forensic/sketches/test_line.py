"""The line style against its definition, written out pixel by pixel."""

import numpy as np
import pytest

from forensic.errors import DtypeError, RangeError, ShapeError
from forensic.images.color import rgb_to_gray
from forensic.sketches.line import LineStyle
from tests.support.images import face_photo


def naive_blur(gray: np.ndarray, width: int) -> np.ndarray:
    """Return Gaussian means over square windows, mirrored at the outermost pixel."""
    radius = width // 2
    sigma = 0.3 * ((width - 1) / 2 - 1) + 0.8
    taps = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    padded = np.pad(gray.astype(float), radius, mode="reflect")
    out = np.empty(gray.shape)
    for row, column in np.ndindex(gray.shape):
        out[row, column] = (padded[row : row + width, column : column + width] * window).sum()
    return np.round(out)


def test_equals_the_colour_dodge_of_the_blurred_negative() -> None:
    """dodge(g, n) = g / (1 - n), n the blurred negative: 256 g / (255 - n) in bytes."""
    photo = face_photo(3, size_hw=(48, 40))
    gray = rgb_to_gray(photo).astype(float)
    negative = naive_blur(255 - gray, 21)
    dodged = np.round(np.minimum(gray * 256 / (255 - negative), 255))
    found = LineStyle()(photo)[:, :, 0].astype(float)
    np.testing.assert_allclose(found, dodged, atol=np.ceil(256 / (255 - negative).min()))
    assert (found == dodged).mean() > 0.99


def test_known_small_image() -> None:
    """Blur of 3 px has the taps 1, e^(1/1.28), 1, normalised; worked out by hand on one row."""
    levels = np.array([100, 100, 100, 0, 100, 100], dtype=np.uint8)
    image = np.broadcast_to(levels[None, :, None], (6, 6, 3)).copy()
    side = 1 / (2 + np.exp(1 / 1.28))
    by_the_edge = round(100 * 256 / round(100 * (1 - side)))
    found = LineStyle(kernel_px=3)(image)[:, :, 0]
    assert found[2].tolist() == [255, 255, 255, 0, 255, 255]
    assert by_the_edge > 255  # pixels beside a dark line saturate: paper stays white
    dark = LineStyle(kernel_px=3)(255 - image)[2, :, 0]
    wanted = round(155 * 256 / round(155 * (1 - side) + 255 * side))
    assert dark.tolist() == [255, 255, wanted, 255, wanted, 255]


def test_flat_areas_turn_white_and_black_stays_black() -> None:
    for level in (1, 80, 255):
        assert (LineStyle()(np.full((24, 24, 3), level, np.uint8)) == 255).all()
    assert (LineStyle()(np.zeros((24, 24, 3), np.uint8)) == 0).all()


def test_mirrors_with_the_photo() -> None:
    photo = face_photo(5, size_hw=(40, 32))
    np.testing.assert_array_equal(LineStyle()(photo[:, ::-1]), LineStyle()(photo)[:, ::-1])
    np.testing.assert_array_equal(LineStyle()(photo[::-1]), LineStyle()(photo)[::-1])


def test_image_smaller_than_the_window() -> None:
    assert LineStyle()(face_photo(1, size_hw=(40, 32))[:4, :3]).shape == (4, 3, 1)


def test_refused() -> None:
    with pytest.raises(ShapeError):
        LineStyle()(np.zeros((24, 24), np.uint8))
    with pytest.raises(DtypeError):
        LineStyle()(np.zeros((24, 24, 3)))  # type: ignore[arg-type]


@pytest.mark.parametrize("kernel_px", [0, -3, 20])
def test_window_must_have_a_middle(kernel_px: int) -> None:
    with pytest.raises(RangeError, match="odd"):
        LineStyle(kernel_px=kernel_px)
