import numpy as np
import pytest

from forensic.errors import DtypeError, ShapeError
from forensic.images.color import gray_to_rgb, is_gray, rgb_to_gray


@pytest.mark.parametrize(
    ("rgb", "gray"),
    [
        ((255, 0, 0), 76),  # 76.245
        ((0, 255, 0), 150),  # 149.685
        ((0, 0, 255), 29),  # 29.07
        ((255, 255, 255), 255),
        ((0, 0, 0), 0),
        ((1, 2, 3), 2),  # 1.815
    ],
)
def test_luminance_of_bt601_is_rounded(rgb: tuple[int, int, int], gray: int) -> None:
    assert rgb_to_gray(np.full((2, 3, 3), rgb, np.uint8)).tolist() == [[gray] * 3] * 2


def test_gray_pixels_keep_their_level() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(rgb_to_gray(gray_to_rgb(levels)), levels)


def test_refused() -> None:
    with pytest.raises(ShapeError):
        rgb_to_gray(np.zeros((4, 4), np.uint8))
    with pytest.raises(DtypeError):
        rgb_to_gray(np.zeros((4, 4, 3), np.float32))  # type: ignore[arg-type]


def test_is_gray_tolerates_compression_and_no_more() -> None:
    image = np.full((4, 4, 3), 100, np.uint8)
    image[1, 1] = (100, 108, 104)
    assert is_gray(image)
    image[1, 1, 1] = 109
    assert not is_gray(image)
    assert not is_gray(np.full((1, 1, 3), (255, 0, 0), np.uint8))  # no wrap-around of uint8
