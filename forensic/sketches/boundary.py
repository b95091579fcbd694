"""Sketches that lie exactly on the edges: the boundaries between the parts of a labelled face.

Source:
    Li et al., DeepFacePencil, ACM MM 2020, section 4.1; its released code takes Canny of the mask
    of 512 pixels with thresholds 1 and 5 on Sobel's magnitude, and draws in black on white.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import DtypeError, RangeError
from forensic.sketches.edges import Mask, canny

WORK_PX = 512
"""Side at which boundaries are found and strokes are moved."""

THRESHOLD = 1 / 255
"""On Sobel's magnitude, which is at least 4 / 255 on a straight step by one label."""


def find_boundaries(labels: NDArray[np.uint8]) -> Mask:
    """Return the boundaries between the regions of a square mask, one pixel wide.

    Canny without blur, every step from one label to another counting alike. In the released code
    a step by one label, such as from skin to nose in CelebAMask-HQ, passes the upper threshold only
    by way of its slanted parts, since there the gradient is the sum of its two components. A mask
    smaller than 512 pixels is first enlarged by repeating its pixels.

    Args:
        labels: (S, S) uint8, a small number for each kind of region; S divides 512.

    Returns:
        (512, 512) bool, true on a boundary.

    Raises:
        ShapeError: The mask is not (H, W).
        DtypeError: The mask is not uint8.
        RangeError: The mask is not square, or its side does not divide 512.
    """
    check_shape(labels, (None, None), name="mask")
    if labels.dtype != np.uint8:
        raise DtypeError(f"mask has dtype {labels.dtype}, expected uint8 labels.")
    height, width = labels.shape
    if height != width or not height or WORK_PX % height:
        raise RangeError(f"The mask has {height}×{width} px, expected a square that divides 512.")
    times = WORK_PX // height
    return canny(labels.repeat(times, 0).repeat(times, 1), sigma=0, low=THRESHOLD, high=THRESHOLD)


def draw_on_paper(ink: Mask, side_px: int) -> NDArray[np.uint8]:
    """Return ink as black on white, (side_px, side_px, 1) uint8 of 0 and 255.

    A pixel of the result is black where any of those it covers is, so that no thin stroke is lost.

    Args:
        ink: (S, S) bool, true on a stroke.
        side_px: Divides S.

    Raises:
        RangeError: It does not, or the ink is not square.
    """
    height, width = ink.shape
    if height != width or not 0 < side_px <= height or height % side_px:
        raise RangeError(f"{height}×{width} px cannot be drawn on a square of {side_px} px.")
    times = height // side_px
    covered = ink.reshape(side_px, times, side_px, times).any(axis=(1, 3))
    return np.where(covered, 0, 255).astype(np.uint8)[:, :, None]
