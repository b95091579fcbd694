"""What memory does to a face: a smooth, random distortion of its proportions."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from forensic.check import check_range, check_rgb
from forensic.phantoms.fields import Field
from forensic.values import RGB, Landmarks

CELLS = (6, 5)
"""Rows and columns of independent errors over a picture: about one per facial feature."""


def misremember(
    photo: RGB, landmarks: Landmarks, *, seed: int, strength: float = 0.01
) -> tuple[RGB, Landmarks]:
    """Return a face as a witness might recall it: each feature a little off in place and size.

    Args:
        photo: (H, W, 3) uint8.
        landmarks: Its five landmarks in pixels.
        seed: Of the errors.
        strength: Standard deviation of a feature's displacement as a share of the picture's
            height, 0 to 0.1. A mugshot of 250 px has the eyes 50 px apart, so 0.01 moves
            features by about a twentieth of that.

    Returns:
        The face recalled, and where its landmarks are.

    Raises:
        ShapeError: The picture is not (H, W, 3).
        DtypeError: The picture is not uint8.
        RangeError: `strength` lies outside 0 to 0.1.
    """
    check_rgb(photo, name="photo")
    check_range(strength, 0, 0.1, name="strength")
    height, width, _ = photo.shape
    rng = np.random.default_rng([seed, 51])
    moves = [_smooth(rng.standard_normal(CELLS), (height, width)) for _ in range(2)]
    down, across = (strength * height * move for move in moves)
    rows, columns = np.mgrid[:height, :width]
    places = [rows + down, columns + across]
    channels = [map_coordinates(photo[..., c], places, order=1, mode="nearest") for c in range(3)]
    return np.stack(channels, axis=-1), _follow(landmarks, across, down)


def _follow(landmarks: Landmarks, across: Field, down: Field) -> Landmarks:
    """Return where points of the photo lie in the recalled face."""
    moved = landmarks.astype(np.float64)
    for _ in range(4):  # a point p of the recalled face shows p + move(p); solve for p
        places = [moved[:, 1], moved[:, 0]]
        step = [map_coordinates(m, places, order=1, mode="nearest") for m in (across, down)]
        moved = landmarks - np.stack(step, axis=1)
    return moved.astype(np.float32)


def _smooth(cells: Field, size_hw: tuple[int, int]) -> Field:
    coarse = Image.fromarray(cells.astype(np.float32))
    return np.asarray(coarse.resize((size_hw[1], size_hw[0]), Image.Resampling.BICUBIC))
