"""Edge maps of pictures, and drawings made of few of their lines.

Sizes are stated for pictures of 256 pixels and grow with the height of the picture.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label, map_coordinates, sobel

from forensic.check import check_range, check_shape
from forensic.errors import RangeError
from forensic.images.color import rgb_to_gray
from forensic.values import RGB

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NOMINAL_PX = 256
ALL_NEIGHBOURS = np.ones((3, 3), dtype=int)


def canny(
    gray: NDArray[np.uint8], *, sigma: float = 2.0, low: float = 0.1, high: float = 0.2
) -> Mask:
    """Return the edges of a gray picture, one pixel wide.

    Blur, gradient, suppression of all but the ridges of its magnitude, and hysteresis: a ridge
    above `low` stays where it is connected to one above `high`.

    Args:
        gray: (H, W) uint8.
        sigma: Deviation of the blur in pixels.
        low: Lower threshold on Sobel's magnitude of the picture in [0, 1], which is eight times
            the change from one pixel to the next.
        high: Upper threshold.

    Returns:
        (H, W) bool, true on an edge; never true on the outermost pixels.

    Raises:
        ShapeError: The picture is not (H, W).
        RangeError: `low` is above `high`, or `sigma` is negative.

    Source:
        Canny, A Computational Approach to Edge Detection, 1986. Thresholds and sigma are those of
        the ancestor of Cali-Sketch (scikit-image's defaults, sigma 2).
    """
    check_shape(gray, (None, None), name="gray picture")
    check_range(sigma, 0, np.inf, name="sigma")
    if low > high:
        raise RangeError(f"The lower threshold {low} is above the upper one, {high}.")
    smooth = gaussian_filter(gray / 255.0, sigma, mode="nearest")
    dy, dx = sobel(smooth, axis=0, mode="nearest"), sobel(smooth, axis=1, mode="nearest")
    magnitude = np.hypot(dx, dy)
    ridges = _is_ridge(magnitude, dx, dy) & (magnitude >= low)
    groups, n_groups = label(ridges, ALL_NEIGHBOURS)
    is_strong = np.zeros(n_groups + 1, dtype=bool)
    is_strong[groups[ridges & (magnitude >= high)]] = True
    is_strong[0] = False
    edges: Mask = is_strong[groups]
    return edges


def _is_ridge(magnitude: Floats, dx: Floats, dy: Floats) -> Mask:
    """Answer where the magnitude is at least that one pixel ahead and more than one behind."""
    rows, columns = np.mgrid[: magnitude.shape[0], : magnitude.shape[1]].astype(float)
    length = np.maximum(magnitude, 1e-12)
    step_y, step_x = dy / length, dx / length
    ahead = map_coordinates(magnitude, [rows + step_y, columns + step_x], order=1, mode="nearest")
    behind = map_coordinates(magnitude, [rows - step_y, columns - step_x], order=1, mode="nearest")
    ridge: Mask = (magnitude >= ahead) & (magnitude > behind)
    ridge[[0, -1]] = ridge[:, [0, -1]] = False
    return ridge


def long_lines(edges: Mask, *, at_least_px: int) -> Mask:
    """Return an edge map without the connected lines of fewer than so many pixels."""
    groups, _ = label(edges, ALL_NEIGHBOURS)
    sizes = np.bincount(groups.ravel())
    sizes[0] = 0
    kept: Mask = (sizes >= at_least_px)[groups]
    return kept


@dataclass(frozen=True)
class CannyStyle:
    """Canny's edges in black on white: solid, and exactly on the edges of the photo.

    Attributes:
        sigma: Deviation of the blur in pixels.

    Source:
        Xia et al., Cali-Sketch, section 4.1 (the local detail of the calibration loss).
    """

    sigma: float = 2.0
    channels: ClassVar[int] = 1

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, 1) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        edges = canny(rgb_to_gray(image), sigma=self.sigma)
        return np.where(edges, 0, 255).astype(np.uint8)[:, :, None]


@dataclass(frozen=True)
class SimplifiedEdgesStyle:
    """Few rounded strokes: strong edges, the short ones left out, near ones drawn as one.

    The paper simplifies edge images by a trained network (Simo-Serra et al. 2016). In its place the
    edge map is blurred and thresholded, which joins lines that run closer than the pen is wide.

    Attributes:
        sigma: Deviation of the blur before edge detection in nominal pixels.
        shortest_px: Lines of fewer nominal pixels are left out.
        pen_px: Deviation of the pen in nominal pixels.

    Source:
        The third style of Cali-Sketch, section 4.1. Differs from it in the simplification.
    """

    sigma: float = 2.2
    shortest_px: float = 28.0
    pen_px: float = 1.3
    channels: ClassVar[int] = 1

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, 1) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        unit = image.shape[0] / NOMINAL_PX
        edges = canny(rgb_to_gray(image), sigma=self.sigma * unit)
        lines = long_lines(edges, at_least_px=round(self.shortest_px * unit))
        return _drawn(lines, self.pen_px * unit)


@dataclass(frozen=True)
class ContourStyle:
    """Long contours only, drawn where a hand would put them: near the edges and not on them.

    The paper takes such drawings from a trained network (Li et al., Photo-Sketching 2019). Here the
    longest coarse edges are moved by a smooth field that the picture itself seeds, so that the
    same picture always gives the same drawing.

    Attributes:
        sigma: Deviation of the blur before edge detection in nominal pixels.
        shortest_px: Lines of fewer nominal pixels are left out.
        pen_px: Deviation of the pen in nominal pixels.
        slip_px: Deviation of the displacement in nominal pixels.
        slip_scale_px: Length over which the displacement changes, in nominal pixels.

    Source:
        The fourth style of Cali-Sketch, section 4.1. Differs from it as said above.
    """

    sigma: float = 3.2
    shortest_px: float = 40.0
    pen_px: float = 1.2
    slip_px: float = 2.5
    slip_scale_px: float = 20.0
    channels: ClassVar[int] = 1

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, 1) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        gray = rgb_to_gray(image)
        unit = image.shape[0] / NOMINAL_PX
        edges = canny(gray, sigma=self.sigma * unit, low=0.05, high=0.12)
        lines = long_lines(edges, at_least_px=round(self.shortest_px * unit))
        field = self._slips(gray, unit)
        ink = gaussian_filter(lines.astype(float), self.pen_px * unit, mode="constant")
        places = np.mgrid[: gray.shape[0], : gray.shape[1]] + field
        return _paper(map_coordinates(ink, places, order=1, mode="constant"), self.pen_px * unit)

    def _slips(self, gray: NDArray[np.uint8], unit: float) -> Floats:
        """Return a smooth displacement (2, H, W) in pixels, rows first."""
        draw = np.random.default_rng(zlib.crc32(np.ascontiguousarray(gray).tobytes()))
        scale = self.slip_scale_px * unit
        noise = draw.standard_normal((2, *gray.shape))
        smooth = np.stack([gaussian_filter(plane, scale, mode="wrap") for plane in noise])
        # White noise under a Gaussian has deviation 1 / (2 √π scale).
        return np.asarray(smooth * (2 * np.sqrt(np.pi) * scale * self.slip_px * unit))


def _drawn(lines: Mask, pen_px: float) -> NDArray[np.uint8]:
    """Return lines drawn by a soft pen, (H, W, 1) uint8, black on white."""
    return _paper(gaussian_filter(lines.astype(float), pen_px, mode="constant"), pen_px)


def _paper(ink: Floats, pen_px: float) -> NDArray[np.uint8]:
    """Return black on white of blurred lines; a straight line is black over half its pen."""
    full = 1 / (np.sqrt(2 * np.pi) * max(pen_px, 1e-6))
    shade = np.clip(2 * ink / min(full, 1.0) - 0.6, 0, 1)
    return np.asarray(np.rint(255 * (1 - shade)), dtype=np.uint8)[:, :, None]
