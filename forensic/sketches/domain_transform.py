"""Edge-aware filtering by the domain transform, normalised convolution variant.

Source:
    Gastal and Oliveira, Domain transform for edge-aware image and video processing, SIGGRAPH
    2011, sections 4 and 5. The transform measures distance along a row (or column) as pixels
    plus scaled colour change, so that a box of fixed radius in it stops at edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ITERATIONS = 3


@dataclass(frozen=True)
class DomainTransform:
    """Transformed coordinates of an image along its rows and along its columns.

    Attributes:
        along_rows: (H, W) strictly increasing along axis 1.
        along_columns: (W, H), the transposed image's coordinates.
        sigma_s: Spatial scale in pixels.
    """

    along_rows: Floats
    along_columns: Floats
    sigma_s: float

    @classmethod
    def of(cls, image: Floats, *, sigma_s: float, sigma_r: float) -> DomainTransform:
        """Return the transform of an (H, W, C) image with values in [0, 1] (equation 11)."""
        rows = _coordinates(image, sigma_s / sigma_r)
        columns = _coordinates(image.transpose(1, 0, 2), sigma_s / sigma_r)
        return cls(rows, columns, sigma_s)

    def radius(self, iteration: int) -> float:
        """Return the box radius of iteration 0, 1 or 2 (equation 14, times the root of 3)."""
        shrink = 2.0 ** (ITERATIONS - iteration - 1) / np.sqrt(4.0**ITERATIONS - 1)
        return float(3.0 * self.sigma_s * shrink)

    def filter(self, image: Floats) -> Floats:
        """Return an (H, W, C) image smoothed everywhere but across its edges."""
        for iteration in range(ITERATIONS):
            radius = self.radius(iteration)
            image = _box_mean(image, *box_bounds(self.along_rows, radius))
            turned = image.transpose(1, 0, 2)
            turned = _box_mean(turned, *box_bounds(self.along_columns, radius))
            image = turned.transpose(1, 0, 2)
        return image

    def box_sizes(self) -> Floats:
        """Return how many pixels the first iteration averages at each pixel, rows plus columns."""
        radius = self.radius(0)
        lower, upper = box_bounds(self.along_rows, radius)
        left, right = box_bounds(self.along_columns, radius)
        return ((upper - lower) + (right - left).T).astype(np.float64)


def box_bounds(coordinates: Floats, radius: float) -> tuple[Indices, Indices]:
    """Return for each element of each row the half-open index range within `radius` of it."""
    height, width = coordinates.shape
    # One search for all rows: each row is lifted above everything that the row before can reach.
    lift = (coordinates[:, -1].max() + 2 * radius + 1) * np.arange(height)[:, None]
    flat = (coordinates + lift).ravel()
    first = np.arange(height)[:, None] * width
    lower = np.searchsorted(flat, flat - radius, side="right").reshape(height, width) - first
    upper = np.searchsorted(flat, flat + radius, side="right").reshape(height, width) - first
    return lower, upper


def _coordinates(image: Floats, ratio: float) -> Floats:
    steps = np.ones(image.shape[:2])
    steps[:, 1:] += ratio * np.abs(np.diff(image, axis=1)).sum(axis=2)
    return steps.cumsum(axis=1)


def _box_mean(image: Floats, lower: Indices, upper: Indices) -> Floats:
    sums = np.zeros((image.shape[0], image.shape[1] + 1, image.shape[2]))
    np.cumsum(image, axis=1, out=sums[:, 1:])
    rows = np.arange(image.shape[0])[:, None]
    means: Floats = (sums[rows, upper] - sums[rows, lower]) / (upper - lower)[:, :, None]
    return means
