"""Painter of the beard: stubble, moustache, goatee, full beard."""

from __future__ import annotations

import numpy as np

from forensic.phantoms.fields import Field, Grid, bump, curve, noise, smoothstep
from forensic.phantoms.person import Person
from forensic.phantoms.surface import FULL, Surface


def paint_beard(surface: Surface, person: Person) -> None:
    """Add stubble, a moustache, a goatee or a full beard."""
    if person.maleness <= 0:
        return
    surface = surface.view(surface.grid.window((-90, 90), (-12, person.head.chin_y + 4)))
    hair, grid = person.hair, surface.grid
    rng = np.random.default_rng([person.seed, 37])
    zones = _beard_zones(person, grid)
    grain = noise(rng, Grid(grid.x, grid.y / 1.8, grid.px_per_mm), 1.0)
    blotch = noise(rng, grid, 9)
    color = np.asarray(hair.color, np.float32) * np.clip(0.85 + 0.3 * grain, 0.3, 2)[..., None]
    shadow = zones["full"] * (0.16 + 0.14 * (hair.beard == "stubble") * hair.beard_density)
    surface.stain((0.60, 0.62, 0.66), np.clip(shadow * (1 + 0.3 * grain), 0, 0.8), FULL)
    if hair.beard == "none":
        return
    zone = zones["full" if hair.beard == "stubble" else hair.beard]
    cover = 0.42 if hair.beard == "stubble" else 0.95
    amount = smoothstep(0.2, 0.85, zone + 0.1 * grain + 0.05 * blotch) * cover * hair.beard_density
    amount = amount * np.clip(0.82 + 0.25 * grain, 0, 1)
    surface.paint(color, np.clip(amount, 0, 0.96), FULL)
    if hair.beard != "stubble":
        surface.depth += (2.2 + 0.35 * grain) * amount
    surface.gloss *= 1 - 0.8 * amount


def _beard_zones(person: Person, grid: Grid) -> dict[str, Field]:
    mouth, nose, y0 = person.mouth, person.nose, person.mouth_y
    t = np.abs(grid.x) / (mouth.width + 5)
    gap = max(y0 - mouth.upper - nose.length - 6, 4.0)
    middle = y0 - mouth.upper - 0.3 * gap + 6.5 * t**2
    bristles = np.abs(grid.y - middle) / (0.62 * gap * (1 - 0.35 * np.minimum(t, 1.2) ** 2))
    moustache = smoothstep(1.25, 0.35, bristles) * smoothstep(1.3, 0.9, t)
    moustache = moustache * (1 - 0.35 * bump(grid, (0, nose.length + 9), (2.5, 5)))
    chin = smoothstep(1.4, 0.55, np.hypot(grid.x / 22, (grid.y - y0 - 28) / 19))
    chin = np.maximum(chin, 0.9 * bump(grid, (0, y0 + 13), (4, 4)))
    link = np.exp(-0.5 * ((np.abs(grid.x) - mouth.width + 1) / 3.8) ** 2) * bump(
        grid, (0, y0 + 10), (60, 11)
    )
    goatee = np.maximum(np.maximum(moustache, chin), 0.8 * link)
    cheek_line = curve(
        [
            (0, y0 + 10),
            (mouth.width, y0 + 9),
            (mouth.width + 12, y0 - 8),
            (56, y0 - 34),
            (64, -2),
            (90, -10),
        ],
        np.abs(grid.x),
    )
    jaw = smoothstep(-1, 7, grid.y - cheek_line)
    full = np.maximum(np.maximum(jaw, goatee), 0)
    return {
        "moustache": moustache.astype(np.float32),
        "goatee": goatee.astype(np.float32),
        "full": full.astype(np.float32),
    }
