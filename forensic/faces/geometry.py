"""Affine maps between pixel frames, and resampling through them.

An affine map is a (2, 3) float64 matrix that takes a point (x, y, 1) of the source frame to the
target frame. Points are pixel positions with x to the right and y down; the centre of the first
pixel is (0, 0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from forensic.check import check_rgb, check_shape
from forensic.errors import LandmarksError
from forensic.values import RGB

Affine = NDArray[np.float64]


def similarity_between(source: ArrayLike, target: ArrayLike) -> Affine:
    """Return the least-squares similarity (rotation, uniform scale, shift) between point sets.

    Args:
        source: (N, 2) points, N at least 2.
        target: (N, 2) points that the source points should land on.

    Returns:
        (2, 3) affine map without reflection.

    Raises:
        ShapeError: The two are not (N, 2) arrays of one size.
        LandmarksError: All source points coincide.

    Source:
        Umeyama, Least-squares estimation of transformation parameters between two point
        patterns, PAMI 1991, in two dimensions, where it is a complex linear regression.
    """
    src, dst = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    check_shape(src, (None, 2), name="source points")
    check_shape(dst, src.shape, name="target points")
    z, w = src @ (1, 1j), dst @ (1, 1j)
    spread = np.sum(np.abs(z - z.mean()) ** 2)
    if spread < 1e-9:
        raise LandmarksError("All landmarks coincide, so they fix no scale and no rotation.")
    factor = np.sum((z - z.mean()).conj() * (w - w.mean())) / spread
    shift = w.mean() - factor * z.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def map_points(matrix: Affine, points: ArrayLike) -> NDArray[np.float32]:
    """Return (N, 2) points taken through an affine map.

    Raises:
        ShapeError: The points are not (N, 2), or the map is not (2, 3).
    """
    pts = np.asarray(points, dtype=np.float64)
    check_shape(pts, (None, 2), name="points")
    check_shape(matrix, (2, 3), name="affine map")
    return np.asarray(pts @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)


def invert_affine(matrix: Affine) -> Affine:
    """Return the affine map that undoes `matrix`.

    Raises:
        ShapeError: Not a (2, 3) matrix.
        numpy.linalg.LinAlgError: The map has no inverse.
    """
    check_shape(matrix, (2, 3), name="affine map")
    inverse = np.linalg.inv(matrix[:, :2])
    return np.column_stack([inverse, -inverse @ matrix[:, 2]])


def warp(image: RGB, matrix: Affine, size_hw: tuple[int, int]) -> RGB:
    """Return `image` resampled into a frame of `size_hw` pixels through an affine map.

    Reduction is low-pass filtered first, so that fine lines of a large drawing do not alias; the
    rest is bicubic, and rounded to the nearest level. Outside the image its border pixels are
    repeated.

    Args:
        image: (H, W, 3) uint8.
        matrix: (2, 3) map from image pixels to target pixels.
        size_hw: Height and width of the result.

    Returns:
        (height, width, 3) uint8.

    Raises:
        ShapeError: The image is not (H, W, 3), or the map not (2, 3).
        DtypeError: The image is not uint8.
    """
    check_rgb(image)
    check_shape(matrix, (2, 3), name="affine map")
    matrix = np.asarray(matrix, dtype=np.float64)
    height, width = size_hw
    if image.shape[:2] == size_hw and np.allclose(matrix, np.eye(2, 3), rtol=0, atol=1e-9):
        return image.copy()  # resampling would round
    image, matrix = _cut_to_footprint(image, matrix, size_hw)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    picture = Image.fromarray(image)
    if scale < 1.0:
        reduced = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        picture = picture.resize(reduced, Image.Resampling.HAMMING, reducing_gap=None)
        ratio = np.array([image.shape[1] / reduced[0], image.shape[0] / reduced[1]])
        # Pixel centres: x_old = (x_new + 1/2) * ratio - 1/2.
        matrix = np.column_stack(
            [matrix[:, :2] * ratio, matrix[:, 2] + matrix[:, :2] @ ((ratio - 1) / 2)]
        )
    back = invert_affine(matrix)
    # Pillow maps pixel corners: x_in = A (x_out + 1/2) + c, and samples at x_in - 1/2.
    corner = back[:, 2] + 0.5 - back[:, :2] @ (0.5, 0.5)
    data = (*back[0, :2], corner[0], *back[1, :2], corner[1])
    return np.stack([_transform(band, data, (width, height)) for band in picture.split()], axis=2)


def _transform(
    band: Image.Image, data: tuple[float, ...], size_wh: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return one channel resampled; in floats, because Pillow cuts off fractions of integers."""
    moved = band.convert("F").transform(
        size_wh, Image.Transform.AFFINE, data, resample=Image.Resampling.BICUBIC
    )
    levels: NDArray[np.uint8] = np.rint(np.asarray(moved)).clip(0, 255).astype(np.uint8)
    return levels


def _cut_to_footprint(image: RGB, matrix: Affine, size_hw: tuple[int, int]) -> tuple[RGB, Affine]:
    """Cut or pad (repeating the border) to what the target frame sees, plus a margin."""
    height, width = size_hw
    corners = [(-0.5, -0.5), (width - 0.5, -0.5), (-0.5, height - 0.5), (width - 0.5, height - 0.5)]
    seen = map_points(invert_affine(matrix), corners)
    margin = 4 + 2 * float(np.abs(seen[1] - seen[0]).max()) / width
    left, top = np.floor(seen.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(seen.max(axis=0) + margin).astype(int)
    rows = np.clip(np.arange(top, bottom + 1), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, right + 1), 0, image.shape[1] - 1)
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (left, top)
    return np.ascontiguousarray(image[rows[:, None], columns]), shifted
