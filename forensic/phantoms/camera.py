"""From the head's frame to a picture: pose, perspective, lens and sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from forensic.phantoms.conditions import Conditions
from forensic.phantoms.fields import Field, Grid
from forensic.values import RGB

PIVOT_MM = np.array([0.0, 25.0, -75.0])
COARSE = 2  # the turned relief is smooth: every second point is enough to follow it
ITERATIONS = 4


def project(points: NDArray[np.float64], conditions: Conditions) -> NDArray[np.float64]:
    """Return where (N, 3) points of the head's frame lie in the picture plane, (N, 2) mm."""
    turned = (points - PIVOT_MM) @ conditions.rotation.T + PIVOT_MM
    scale = conditions.zoom / (1 - turned[:, 2:] / conditions.distance_mm)
    return np.asarray(turned[:, :2] * scale + conditions.shift_mm)


def warp_to_camera(
    layer: NDArray[np.float32], depth: Field, grid: Grid, conditions: Conditions
) -> NDArray[np.float32]:
    """Resample (H, W, C) values of the head's frame into the picture plane.

    Each picture point looks for the head point that lands on it by fixed-point iteration, which
    converges because heads turn by little and the relief is smoothed first.
    """
    smooth = gaussian_filter(np.maximum(depth, -80), 1.0 * grid.px_per_mm)
    x, y = _seen_points(smooth[::COARSE, ::COARSE], grid, conditions)
    rows = _refine(y, grid.shape) * grid.px_per_mm - grid.y[0, 0] * grid.px_per_mm
    columns = _refine(x, grid.shape) * grid.px_per_mm - grid.x[0, 0] * grid.px_per_mm
    return _bilinear(layer, rows, columns)


def _seen_points(depth: Field, grid: Grid, conditions: Conditions) -> tuple[Field, Field]:
    """Return the head's x and y that every COARSE-th picture point shows."""
    coarse = Grid(grid.x[:, ::COARSE], grid.y[::COARSE], grid.px_per_mm / COARSE)
    plane_x = (coarse.x - conditions.shift_mm[0]) / conditions.zoom + 0 * coarse.y
    plane_y = (coarse.y - conditions.shift_mm[1]) / conditions.zoom + 0 * coarse.x
    turn = conditions.rotation
    inverse = np.linalg.inv(turn[:2, :2])
    x, y, z = plane_x, plane_y, np.zeros(coarse.shape)
    for _ in range(ITERATIONS):
        behind = z - PIVOT_MM[2]
        turned_z = turn[2, 0] * x + turn[2, 1] * (y - PIVOT_MM[1]) + turn[2, 2] * behind
        scale = 1 - (turned_z + PIVOT_MM[2]) / conditions.distance_mm
        right = plane_x * scale - PIVOT_MM[0] - turn[0, 2] * behind
        down = plane_y * scale - PIVOT_MM[1] - turn[1, 2] * behind
        x = inverse[0, 0] * right + inverse[0, 1] * down + PIVOT_MM[0]
        y = inverse[1, 0] * right + inverse[1, 1] * down + PIVOT_MM[1]
        places = [(y - coarse.y[0, 0]) * coarse.px_per_mm, (x - coarse.x[0, 0]) * coarse.px_per_mm]
        z = map_coordinates(depth, places, order=1, mode="nearest", output=np.float32)
    return x, y


def _refine(values: Field, shape: tuple[int, int]) -> Field:
    """Return coarse values at every grid point; point 0 of both lattices coincide."""
    rows = np.minimum(np.arange(shape[0]) / COARSE, values.shape[0] - 1)
    columns = np.minimum(np.arange(shape[1]) / COARSE, values.shape[1] - 1)
    top, left = rows.astype(int), columns.astype(int)
    below = np.minimum(top + 1, values.shape[0] - 1)
    right = np.minimum(left + 1, values.shape[1] - 1)
    down, across = (rows - top)[:, None], columns - left
    tall = values[top] * (1 - down) + values[below] * down
    return np.asarray(tall[:, left] * (1 - across) + tall[:, right] * across, np.float32)


def _bilinear(layer: NDArray[np.float32], rows: Field, columns: Field) -> NDArray[np.float32]:
    height, width = layer.shape[:2]
    rows, columns = np.clip(rows, 0, height - 1.001), np.clip(columns, 0, width - 1.001)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    down, across = (rows - top)[..., None], (columns - left)[..., None]
    flat, first = layer.reshape(height * width, -1), top * width + left
    upper = flat[first] * (1 - across) + flat[first + 1] * across
    lower = flat[first + width] * (1 - across) + flat[first + width + 1] * across
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def develop(light: NDArray[np.float32], conditions: Conditions, supersample: int) -> RGB:
    """Return the finished picture of (H*s, W*s, 3) linear light."""
    height, width = light.shape[0] // supersample, light.shape[1] // supersample
    blocks = light.reshape(height, supersample, width, supersample, 3).mean((1, 3))
    blurred = gaussian_filter(blocks, (conditions.blur_px, conditions.blur_px, 0))
    rng = np.random.default_rng([conditions.seed, 41])
    photons = rng.standard_normal(blurred.shape).astype(np.float32)
    grain = gaussian_filter(rng.standard_normal(blurred.shape[:2]).astype(np.float32), 0.7)
    exposed = np.clip(blurred * conditions.exposure, 0, None)
    rolled = exposed / (1 + np.maximum(exposed - 0.55, 0) * 0.6)
    tone = np.clip(rolled, 0, 1) ** (1 / 2.2)
    tone = 0.5 + (tone - 0.5) * conditions.contrast
    tone += conditions.noise_level * (0.7 * photons + grain[..., None])
    return np.asarray(np.clip(tone * 255 + 0.5, 0, 255), np.uint8)
