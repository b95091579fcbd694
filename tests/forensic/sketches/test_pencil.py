"""Pencil and stylization against formulas, on pictures small enough to think about."""

import numpy as np
import pytest

from forensic.errors import DtypeError, ShapeError
from forensic.images.color import LUMA
from forensic.sketches.domain_transform import DomainTransform
from forensic.sketches.pencil import PencilStyle, StylizationStyle
from tests.support.images import face_photo


def halves(left: int = 0, right: int = 255, size: int = 12) -> np.ndarray:
    image = np.full((size, size, 3), left, np.uint8)
    image[:, size // 2 :] = right
    return image


def to_bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * 255)


def test_pencil_shade_is_two_per_cent_a_pixel() -> None:
    flat = PencilStyle(channels=1)(np.full((10, 14, 3), 90, np.uint8))
    assert (flat == round((10 + 14) * 0.02 * 255)).all()
    divided = PencilStyle(channels=1)(halves())
    assert (divided == round((6 + 12) * 0.02 * 255)).all()


def test_pencil_colour_keeps_chrominance_and_takes_the_shade_as_luminance() -> None:
    image = np.full((10, 10, 3), (120, 60, 90), np.uint8)
    found = PencilStyle(channels=3)(image)[0, 0] / 255
    assert found @ LUMA == pytest.approx(0.4, abs=0.003)  # 20 pixels of 0.02
    np.testing.assert_allclose(np.diff(found), np.diff(image[0, 0] / 255), atol=0.005)


def naive_gradient(image: np.ndarray, kind: str) -> np.ndarray:
    """Return the gradient lengths of all channels, added, pixel by pixel."""
    height, width, channels = image.shape
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    out = np.zeros((height, width))
    for y, x, c in np.ndindex(height, width, channels):
        if kind == "forward":
            dx = image[y, x + 1, c] - image[y, x, c] if x + 1 < width else 0
            dy = image[y + 1, x, c] - image[y, x, c] if y + 1 < height else 0
        else:
            window = padded[y : y + 3, x : x + 3, c]
            dx = (window[:, 2] - window[:, 0]) @ [1, 2, 1]
            dy = (window[2] - window[0]) @ [1, 2, 1]
        out[y, x] += np.hypot(dx, dy)
    return out


@pytest.mark.parametrize("kind", ["forward", "sobel"])
def test_stylization_equals_its_formula(kind: str) -> None:
    photo = face_photo(3, size_hw=(40, 32))[8:24, 4:28]
    flat = DomainTransform.of(photo / 255, sigma_s=60, sigma_r=0.45).filter(photo / 255)
    wanted = to_bytes(flat * (1 - naive_gradient(flat, kind))[:, :, None])
    found = StylizationStyle(channels=3, gradient=kind)(photo)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, wanted, atol=1)
    assert (found == wanted).mean() > 0.99


@pytest.mark.parametrize("kind", ["forward", "sobel"])
def test_colours_do_not_bleed_into_each_others_gradient(kind: str) -> None:
    """An edge in red alone darkens by the gradient of red alone."""
    image = np.full((12, 12, 3), 200, np.uint8)
    image[:, 6:, 0] = 180
    step = 20 / 255 * (1 if kind == "forward" else 4)
    found = StylizationStyle(channels=3, sigma_r=1e-3, gradient=kind)(image)  # type: ignore[arg-type]
    assert abs(int(found[5, 5, 1]) - 200 * (1 - step)) <= 1
    assert abs(int(found[5, 4, 1]) - 200) <= 1


def test_gray_stylization_is_the_luminance_of_the_colour_one() -> None:
    photo = face_photo(2, size_hw=(40, 32))
    color = StylizationStyle(channels=3)(photo)
    gray = StylizationStyle(channels=1)(photo)[:, :, 0]
    assert np.abs(gray - color @ LUMA).max() <= 1.01


@pytest.mark.parametrize(
    "style",
    [
        PencilStyle(channels=1),
        PencilStyle(channels=3),
        StylizationStyle(channels=3, gradient="sobel"),
    ],
)
def test_mirrors_with_the_photo(style: PencilStyle | StylizationStyle) -> None:
    photo = face_photo(5, size_hw=(40, 32))
    difference = style(photo[:, ::-1]).astype(int) - style(photo)[:, ::-1]
    assert np.abs(difference).max() <= 1


def test_forward_differences_look_to_the_right() -> None:
    """The default is not symmetric: the dark line lies left of an edge, and mirroring moves it."""
    found = StylizationStyle(channels=1, sigma_r=1e-3)(halves(100, 140))[5, :, 0]
    assert int(found.argmin()) == 5
    mirrored = StylizationStyle(channels=1, sigma_r=1e-3)(halves(140, 100))[5, ::-1, 0]
    assert int(mirrored.argmin()) != 5


@pytest.mark.parametrize("style", [PencilStyle(channels=1), StylizationStyle(channels=3)])
def test_refused(style: PencilStyle | StylizationStyle) -> None:
    with pytest.raises(ShapeError):
        style(np.zeros((12, 12), np.uint8))
    with pytest.raises(DtypeError):
        style(np.zeros((12, 12, 3)))  # type: ignore[arg-type]
