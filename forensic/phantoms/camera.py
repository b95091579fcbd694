"""From the head's frame to a picture: pose, perspective, lens and sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from forensic.phantoms.conditions import Conditions
from forensic.phantoms.fields import Field, Grid
from forensic.values import RGB

PIVOT_MM = np.array([0.0, 25.0, -75.0])


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
    plane_x = (grid.x - conditions.shift_mm[0]) / conditions.zoom + 0 * grid.y
    plane_y = (grid.y - conditions.shift_mm[1]) / conditions.zoom + 0 * grid.x
    rotation = conditions.rotation
    inverse = np.linalg.inv(rotation[:2, :2])
    z = np.zeros(grid.shape)
    x, y = plane_x, plane_y
    for _ in range(4):
        turned_z = (
            rotation[2, 0] * x
            + rotation[2, 1] * (y - PIVOT_MM[1])
            + rotation[2, 2] * (z - PIVOT_MM[2])
            + PIVOT_MM[2]
        )
        scale = 1 - turned_z / conditions.distance_mm
        right = plane_x * scale - PIVOT_MM[0] - rotation[0, 2] * (z - PIVOT_MM[2])
        down = plane_y * scale - PIVOT_MM[1] - rotation[1, 2] * (z - PIVOT_MM[2])
        x = inverse[0, 0] * right + inverse[0, 1] * down + PIVOT_MM[0]
        y = inverse[1, 0] * right + inverse[1, 1] * down + PIVOT_MM[1]
        z = _sample(smooth, grid, x, y)
    return np.stack([_sample(layer[..., c], grid, x, y) for c in range(layer.shape[2])], axis=-1)


def _sample(values: Field, grid: Grid, x: Field, y: Field) -> Field:
    rows = (y - grid.y[0, 0]) * grid.px_per_mm
    columns = (x - grid.x[0, 0]) * grid.px_per_mm
    sampled = map_coordinates(values, [rows, columns], order=1, mode="nearest", output=np.float32)
    return np.asarray(sampled)


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
