"""Scalar fields on a millimetre grid: bumps, creases, curves and noise; arithmetic only.

The frame of a head: x to the right of the picture, y downwards, z towards the viewer, all in
millimetres from the point midway between the eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.interpolate import PchipInterpolator

Field = NDArray[Any]
"""(H, W) floats, one number per grid point; float32 where speed asks for it."""

Window = tuple[slice, slice]

TABLE_SIZE = 2048


@dataclass(frozen=True)
class Grid:
    """An axis-aligned lattice of points.

    Attributes:
        x: (1, W) positions of the columns in mm.
        y: (H, 1) positions of the rows in mm.
        px_per_mm: Lattice points per millimetre.
    """

    x: Field
    y: Field
    px_per_mm: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y.shape[0], self.x.shape[1]

    def window(self, x_mm: tuple[float, float], y_mm: tuple[float, float]) -> Window:
        """Return the slices (rows, columns) that cover a rectangle."""
        return _covering(self.y[:, 0], y_mm), _covering(self.x[0], x_mm)

    def cut(self, window: Window) -> Grid:
        """Return the part of the lattice inside `window`."""
        return Grid(self.x[:, window[1]], self.y[window[0]], self.px_per_mm)


def create_grid(size_hw: tuple[int, int], px_per_mm: float) -> Grid:
    """Return a lattice of `size_hw` points with the origin at its centre."""
    height, width = size_hw
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / px_per_mm
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / px_per_mm
    return Grid(x[None, :].astype(np.float32), y[:, None].astype(np.float32), px_per_mm)


def _covering(axis: Field, span: tuple[float, float]) -> slice:
    first, last = np.searchsorted(axis, span)
    return slice(int(first), int(last))


def smoothstep(low: float, high: float, values: Field) -> Field:
    """Return 0 below `low`, 1 above `high` and a smooth rise between (reversed if low > high)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def bump(grid: Grid, centre_mm: tuple[float, float], sigma_mm: tuple[float, float]) -> Field:
    """Return a Gaussian hill of height one."""
    across = np.exp(-0.5 * ((grid.x - centre_mm[0]) / sigma_mm[0]) ** 2)
    down = np.exp(-0.5 * ((grid.y - centre_mm[1]) / sigma_mm[1]) ** 2)
    return np.asarray(down * across, np.float32)


def twin_bump(grid: Grid, centre_mm: tuple[float, float], sigma_mm: tuple[float, float]) -> Field:
    """Return a hill and its mirror image on the other side of the face."""
    x, y = centre_mm
    both = np.exp(-0.5 * ((grid.x - x) / sigma_mm[0]) ** 2)
    both = both + np.exp(-0.5 * ((grid.x + x) / sigma_mm[0]) ** 2)
    return np.asarray(np.exp(-0.5 * ((grid.y - y) / sigma_mm[1]) ** 2) * both, np.float32)


def curve(knots: Sequence[tuple[float, float]], at: Field) -> Field:
    """Interpolate (position, value) knots monotonically; constant outside them."""
    places, values = zip(*sorted(knots), strict=True)
    inside = np.clip(at, places[0], places[-1])
    smooth = PchipInterpolator(places, values)
    if at.size <= TABLE_SIZE:
        return np.asarray(smooth(inside), np.float32)
    table = np.linspace(places[0], places[-1], TABLE_SIZE)  # quicker for a whole picture
    return np.asarray(np.interp(inside, table, smooth(table)), np.float32)


def crease(distance_mm: Field, width_mm: Field | float, strength: Field | float = 1.0) -> Field:
    """Return a Gaussian groove profile of a signed distance to a line."""
    return np.asarray(np.exp(-0.5 * (distance_mm / width_mm) ** 2) * strength, np.float32)


def noise(rng: np.random.Generator, grid: Grid, cell_mm: float) -> Field:
    """Return smooth noise of unit variance with features of about `cell_mm`.

    The draw depends on the extent in mm and not on the resolution, so that a person keeps the
    same skin at every picture size.
    """
    height = max(3, round(float(np.ptp(grid.y)) / cell_mm) + 2)
    width = max(3, round(float(np.ptp(grid.x)) / cell_mm) + 2)
    coarse = Image.fromarray(rng.standard_normal((height, width)).astype(np.float32))
    rows, columns = grid.shape
    return np.asarray(coarse.resize((columns, rows), Image.Resampling.BICUBIC), np.float32) * 1.3
