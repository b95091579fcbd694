"""Painters of the mouth and the nostrils."""

from __future__ import annotations

import numpy as np

from forensic.phantoms.conditions import Conditions
from forensic.phantoms.fields import Field, Window, crease, noise, smoothstep
from forensic.phantoms.person import Person
from forensic.phantoms.skin import skin_color
from forensic.phantoms.surface import Surface


def mouth_corners(person: Person, conditions: Conditions) -> tuple[float, float]:
    """Return half the width of the mouth and the rise of its corners, mm."""
    smile = conditions.smile
    return person.mouth.width * (1 + 0.11 * smile), 4.2 * smile - person.mouth.corner


def paint_mouth(surface: Surface, person: Person, conditions: Conditions) -> None:
    """Shape and paint the lips."""
    mouth = person.mouth
    half, rise = mouth_corners(person, conditions)
    window = surface.grid.window((-half - 9, half + 9), (person.mouth_y - 20, person.mouth_y + 24))
    grid = surface.grid.cut(window)
    t = grid.x / half
    inside = np.clip(1 - t**2, 0, 1)
    line = person.mouth_y - rise * np.minimum(t**2, 1.3) + 0.7 * np.exp(-((t / 0.16) ** 2))
    thin = 1 - 0.18 * max(conditions.smile, 0)
    bow = (
        1
        - mouth.bow * np.exp(-((t / 0.13) ** 2))
        + 0.25 * mouth.bow * np.exp(-(((np.abs(t) - 0.25) / 0.12) ** 2))
    )
    upper = max(mouth.upper, 2.2) * thin * np.clip(1 - np.abs(t) ** 1.7, 0, 1) ** 0.9 * bow
    lower = max(mouth.lower, 3.2) * thin * inside**0.75
    above, below = line - grid.y, grid.y - line
    on_upper = smoothstep(-0.7, 0.7, upper - above) * smoothstep(-0.25, 0.25, above)
    on_lower = smoothstep(-0.9, 0.9, lower - below) * smoothstep(-0.25, 0.25, below)
    ends = smoothstep(1.02, 0.96, np.abs(t))
    up, low = np.clip(above / (upper + 0.2), 0, 1), np.clip(below / (lower + 0.2), 0, 1)
    depth = surface.depth[window]
    depth += ends * on_upper * (2.4 * np.sin(np.pi * np.clip(1 - up, 0, 1) * 0.62)) * inside
    depth += ends * on_lower * (3.6 * np.sin(np.pi * (0.12 + 0.80 * low))) * inside**0.7
    lips = (on_upper + on_lower) * ends
    rng = np.random.default_rng([person.seed, 35])
    wrinkle = noise(rng, type(grid)(grid.x, grid.y / 4, grid.px_per_mm), 1.3)
    surface.paint(_lip_color(person) * (1 + 0.05 * wrinkle[..., None]), 0.92 * lips, window)
    surface.stain((0.80, 0.74, 0.76), on_upper * ends, window)
    depth += 0.05 * wrinkle * lips
    surface.gloss[window] += 0.7 * on_lower * ends * inside
    _paint_line(surface, window, line, half, conditions)


def _paint_line(
    surface: Surface, window: Window, line: Field, half: float, conditions: Conditions
) -> None:
    grid = surface.grid.cut(window)
    part = 0.55 + 0.9 * max(conditions.smile - 0.35, 0)
    reach = smoothstep(1.06, 0.92, np.abs(grid.x) / half)
    gap = crease(grid.y - line, part + 0.35, 0.88 * reach)
    surface.stain((0.16, 0.09, 0.08), gap, window)
    surface.depth[window] -= 1.2 * crease(grid.y - line, 0.9, reach)
    corner = np.exp(-0.5 * (((np.abs(grid.x) - half) / 1.8) ** 2 + ((grid.y - line) / 1.7) ** 2))
    surface.stain((0.42, 0.30, 0.28), (0.65 * corner).astype(np.float32), window)
    surface.depth[window] -= 1.1 * corner


def _lip_color(person: Person) -> Field:
    skin = skin_color(person.skin)
    red = np.clip(person.mouth.red, 0.1, 1)
    tinted = skin * np.array([0.92, 0.50, 0.50]) * (1 - 0.15 * person.skin.melanin)
    return np.asarray(skin * (1 - red) * np.array([0.9, 0.72, 0.70]) + tinted * red, np.float32)


def paint_nostrils(surface: Surface, person: Person) -> None:
    """Darken the nostrils and the folds round the wings of the nose."""
    nose = person.nose
    window = surface.grid.window((-30, 30), (nose.length - 20, nose.length + 16))
    grid = surface.grid.cut(window)
    side = np.abs(grid.x - nose.bend * 0.2)
    wide, y0 = 0.24 * nose.width + 0.6, nose.length + 4.2 - 0.35 * nose.tip_lift
    off = np.hypot(
        (side - 0.47 * nose.width) / wide,
        (grid.y - y0 + 0.18 * (side - 6)) / (1.9 * nose.nostril + 0.35 * nose.tip_lift),
    )
    hole = smoothstep(1.35, 0.45, off)
    surface.stain((0.10, 0.06, 0.055), 0.9 * hole, window)
    surface.depth[window] -= 1.2 * hole
    ring = np.hypot((side - nose.width + 5.0) / 7.2, (grid.y - nose.length + 0.5) / 7.4)
    fold = np.exp(-0.5 * ((ring - 1) / 0.11) ** 2) * smoothstep(nose.width - 5, nose.width, side)
    surface.stain((0.58, 0.44, 0.41), (0.6 * fold).astype(np.float32), window)
    base = crease(grid.y - y0 - 3.0, 1.8) * smoothstep(nose.width, nose.width - 6, side)
    surface.stain((0.66, 0.55, 0.53), 0.45 * base, window)
    surface.gloss[window] *= 1 - hole
