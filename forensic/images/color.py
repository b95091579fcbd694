"""Conversions between RGB, gray and luminance-chrominance, one function each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_rgb
from forensic.values import RGB

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue in luminance (ITU-R BT.601)."""


def rgb_to_gray(image: RGB) -> NDArray[np.uint8]:
    """Return the luminance of an image, rounded to (H, W) uint8.

    Raises:
        ShapeError: The image is not (H, W, 3).
        DtypeError: The image is not uint8.
    """
    check_rgb(image)
    return np.asarray(image.astype(np.float32) @ LUMA + 0.5, dtype=np.uint8)


def gray_to_rgb(gray: NDArray[np.uint8]) -> RGB:
    """Return an (H, W) image repeated into three equal channels, (H, W, 3)."""
    return np.repeat(gray[:, :, None], 3, axis=2)


def is_gray(image: RGB, *, tolerance: int = 8) -> bool:
    """Answer whether no pixel's channels differ by more than `tolerance` of 255."""
    return int(np.ptp(image.astype(np.int16), axis=2).max(initial=0)) <= tolerance
