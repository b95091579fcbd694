"""Light on a surface: two lamps, sky, soft shadows, and light scattered under the skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from forensic.phantoms.conditions import Conditions
from forensic.phantoms.fields import Field, smoothstep
from forensic.phantoms.surface import Surface

SCATTER_MM = (1.9, 1.0, 0.7)
HALF = (slice(None, None, 2), slice(None, None, 2))


def shade(surface: Surface, conditions: Conditions) -> NDArray[np.float32]:
    """Return the light that the surface sends to the camera, (H, W, 3) linear RGB."""
    to_head = conditions.rotation.T
    normal = _normals(surface)
    key = (to_head @ np.asarray(conditions.key)).astype(np.float32)  # float64 would spread
    fill = to_head @ _unit(np.array([-1.6 * conditions.key[0], -0.15, 0.9]))
    fill = fill.astype(np.float32)
    lit = _lambert(normal, key) * conditions.key_power * (1 - 0.75 * _shadow(surface, key))
    lit = lit + _lambert(normal, fill) * conditions.fill_power
    sky = conditions.ambient * (0.82 - 0.18 * normal[1]) * (0.6 + 0.4 * normal[2])
    lit = (lit + sky) * _cavities(surface)
    warm = np.array([1 + conditions.warmth, 1, 1 - 1.3 * conditions.warmth], np.float32)
    irradiance = _scatter(lit.astype(np.float32), surface.grid.px_per_mm) * warm
    mirror = (
        _mirror(normal, key) * conditions.key_power + _mirror(normal, fill) * conditions.fill_power
    )
    shine = 0.085 * surface.gloss * mirror + surface.sparkle
    return np.asarray(surface.albedo * irradiance + shine[..., None] * warm, np.float32)


def _unit(vector: Field) -> Field:
    return np.asarray(vector / np.linalg.norm(vector))


def _normals(surface: Surface) -> NDArray[np.float32]:
    """Return (3, H, W) unit normals of the relief."""
    down, across = np.gradient(surface.depth, 1 / surface.grid.px_per_mm)
    across, down = np.clip(across, -4, 4), np.clip(down, -4, 4)
    length = np.sqrt(across**2 + down**2 + 1)
    return np.asarray(np.stack([-across, -down, np.ones_like(across)]) / length, np.float32)


def _lambert(normal: NDArray[np.float32], light: Field) -> Field:
    facing = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
    return np.asarray(np.clip((facing + 0.12) / 1.12, 0, None), np.float32)


def _mirror(normal: NDArray[np.float32], light: Field) -> Field:
    half = _unit(light + np.array([0, 0, 1], np.float32))
    facing = np.clip(normal[0] * half[0] + normal[1] * half[1] + normal[2] * half[2], 0, 1)
    return np.asarray(facing**14 + 0.9 * facing**48, np.float32)


def _shadow(surface: Surface, light: Field) -> Field:
    """March over the half-size relief towards the light; return how much stands in its way."""
    depth = surface.depth[HALF]
    flat = float(np.hypot(light[0], light[1]))
    if flat < 0.05:
        return np.zeros(surface.grid.shape, np.float32)
    step_px = surface.grid.px_per_mm / 2
    blocked = np.zeros_like(depth)
    for reach in (3, 5, 8, 11, 15, 20, 26, 33):
        dx, dy = (round(reach * step_px * float(light[i]) / flat) for i in (0, 1))
        above = _shifted(depth, dy, dx) - depth - reach * float(light[2]) / flat
        np.maximum(blocked, smoothstep(0, 2 + 0.18 * reach, above), out=blocked)
    blocked = gaussian_filter(blocked, 1.6 * step_px)
    return _enlarge(blocked, surface.grid.shape)


def _shifted(values: Field, down: int, right: int) -> Field:
    """Return values[y + down, x + right] with the border repeated."""
    rows = np.clip(np.arange(values.shape[0]) + down, 0, values.shape[0] - 1)
    columns = np.clip(np.arange(values.shape[1]) + right, 0, values.shape[1] - 1)
    return values[rows][:, columns]


def _cavities(surface: Surface) -> Field:
    """Return 1 on open ground and less in hollows that see little of the sky."""
    coarse = surface.depth[::4, ::4]
    step = surface.grid.px_per_mm / 4
    wide = gaussian_filter(coarse, 7 * step) - coarse
    near = gaussian_filter(surface.depth[HALF], 1.2 * step * 2) - surface.depth[HALF]
    dark = 0.055 * np.clip(_enlarge(wide, surface.grid.shape), -2, 7)
    dark = dark + 0.32 * np.clip(_enlarge(near, surface.grid.shape), -0.15, 1.4)
    return np.asarray(np.clip(1 - dark, 0.3, 1.1), np.float32)


def _scatter(lit: Field, px_per_mm: float) -> NDArray[np.float32]:
    """Blur the light as skin does, red farther than green and blue."""
    half = lit[HALF]
    soft = [_enlarge(gaussian_filter(half, mm * px_per_mm / 2), lit.shape) for mm in SCATTER_MM]
    return np.stack([0.3 * lit + 0.7 * channel for channel in soft], axis=-1)


def _enlarge(values: Field, shape: tuple[int, int]) -> Field:
    size = (shape[1], shape[0])
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), np.float32)
