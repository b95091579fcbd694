"""Painters of the hair of the head and of the beard."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from forensic.phantoms.fields import Field, Grid, bump, curve, noise, smoothstep
from forensic.phantoms.person import Hair, Person
from forensic.phantoms.shape import HEAD_DEPTH_MM, half_width
from forensic.phantoms.surface import Surface

FULL = (slice(None), slice(None))


def strand_noise(rng: np.random.Generator, across: Field, along: Field, fine: float) -> Field:
    """Return unit noise that is fine across the strands and long along them.

    Args:
        rng: Source of the strands.
        across: Position across the strands, any unit; `fine` cells per unit.
        along: Position along the strands in mm; strands vary over about 25 mm.
        fine: Cells per unit of `across`.
    """
    table = rng.standard_normal((64, 512)).astype(np.float32)
    places = np.stack([along / 25 % 64, across * fine % 512])
    strands = map_coordinates(table, places, order=1, mode="grid-wrap")
    return np.asarray(strands * 1.4, np.float32)


def _combed(person: Person, grid: Grid, rng: np.random.Generator) -> Field:
    """Return the brightness pattern of the strands."""
    hair, head = person.hair, person.head
    wave = noise(rng, grid, 16)
    curl = hair.curl * (2.2 if hair.style == "curly" else 1.0)
    x = grid.x - hair.parting_x * np.exp(-np.maximum(grid.y - head.crown_y, 0) / 90)
    y = grid.y - head.crown_y + 26
    angle = np.arctan2(x, np.maximum(y, 4)) + (0.004 + 0.035 * curl) * wave
    along = np.hypot(x, y)
    pattern = 0.55 * strand_noise(rng, angle, along, 34) + 0.45 * strand_noise(
        rng, angle, along, 90
    )
    if hair.style == "curly":
        rings = 0.8 * noise(rng, grid, 4.2) + 0.6 * noise(rng, grid, 1.8)
        pattern = 0.25 * pattern + 0.75 * rings
    if hair.style in ("crop", "shaved"):
        pattern = 0.4 * pattern + 0.4 * noise(rng, Grid(grid.x, grid.y / 2, grid.px_per_mm), 1.1)
    return np.asarray(pattern, np.float32)


def _opening(person: Person, grid: Grid, ragged: Field) -> Field:
    """Return how far (mm) a point lies inside the part of the face that hair leaves free."""
    hair, head = person.hair, person.head
    low = hair.hairline_y
    rise = 13 * np.clip(hair.recession, 0, 1.6)
    top = low - 0.35 * rise
    if hair.style == "fringe":
        top, rise = -33.0 - 6 * hair.sweep, 0.0
    side_y = hair.length_y
    temple = head.temple - 9
    arch = 10.0 if hair.style == "fringe" else 0.0  # a fringe is cut straight
    knots = [
        (top - 0.1, 0.0),
        (top + 2.5, 17.0 + 0.5 * rise + 1.2 * arch),
        (top + 9, 32.0 + 0.5 * rise + arch),
        (top + 20, 46.0 + 0.3 * rise),
        (-28.0 + 0.2 * rise, temple - 1),
    ]
    if hair.style in ("bob", "long"):
        knots += [(0.0, temple - 4), (45.0, temple - 9), (110.0, temple - 4), (200.0, temple + 8)]
    else:
        knots += [
            (-12.0, temple + 2),
            (max(side_y, -8.0), temple + 5),
            (max(side_y, -8.0) + 5, 130.0),
        ]
    y = grid.y - hair.sweep * grid.x * (hair.style != "shaved") + 1.8 * ragged
    free = curve([(at, size**2) for at, size in knots], np.ascontiguousarray(y))
    inside = np.sqrt(np.maximum(free, 0)) - np.abs(grid.x) + 1.2 * ragged
    inside = np.minimum(inside, (y - top) * 0.9)
    if hair.style == "horseshoe":
        bald = 1 - np.hypot(grid.x / (head.temple - 3), (grid.y + 55) / 62)
        inside = np.maximum(inside, bald * 40 + 2 * ragged)
    if hair.style not in ("bob", "long"):
        inside = np.maximum(inside, (grid.y - side_y) * 1.0 + 1.5 * ragged)
    return np.asarray(inside, np.float32)


def _outline(person: Person, grid: Grid) -> Field:
    """Return the signed distance (mm, positive inside) to the outside of the hair."""
    hair, head = person.hair, person.head
    top, side = _volumes(hair)
    radius_x, middle = head.temple + 1 + side, -28.0
    radius_y = middle - head.crown_y + top
    up = np.abs(np.minimum(grid.y - middle, 0) / radius_y)
    dome = (1 - (np.abs(grid.x / radius_x) ** 2.35 + up**2.35) ** (1 / 2.35)) * radius_x
    if hair.style in ("bob", "long"):
        wide = curve(
            [(-28, radius_x), (20, radius_x + 3), (80, radius_x + 1), (160, radius_x + 4)], grid.y
        )
        return np.asarray(np.where(grid.y > middle, wide - np.abs(grid.x), dome), np.float32)
    fall = half_width(person, grid.y) + 1.5 + side * 0.5 - np.abs(grid.x)
    return np.asarray(np.where(grid.y > middle, fall, dome), np.float32)


def _volumes(hair: Hair) -> tuple[float, float]:
    """Return how far the hair stands off the crown and the sides, mm."""
    bulk = {
        "shaved": 0.12,
        "crop": 0.45,
        "tied": 0.35,
        "back": 0.6,
        "horseshoe": 0.35,
        "curly": 1.7,
    }
    factor = bulk.get(hair.style, 1.0)
    return hair.volume_top * factor, hair.volume_side * factor


def paint_hair(surface: Surface, person: Person) -> None:
    """Cover the skull with hair and let it fall over the ears where it is long."""
    hair, grid = person.hair, surface.grid
    rng = np.random.default_rng([person.seed, 36])
    pattern = _combed(person, grid, rng)
    edge = {
        "shaved": 6.0,
        "crop": 4.5,
        "curly": 2.6,
        "side": 4.5,
        "back": 6.0,
        "tied": 6.0,
        "horseshoe": 7.0,
    }.get(hair.style, 2.2)
    free = _opening(person, grid, pattern)
    inside = (
        _outline(person, grid)
        + 0.9 * pattern
        + (2.2 * noise(rng, grid, 6) if hair.style == "curly" else 0)
    )
    amount = smoothstep(0.6, -edge, free) * smoothstep(-0.8, 0.8, inside.astype(np.float32))
    if hair.style in ("bob", "long"):
        amount *= smoothstep(hair.length_y + 3, hair.length_y - 5, grid.y + 3 * pattern)
    opacity = {"shaved": 0.62, "crop": 0.93}.get(hair.style, 1.0)
    _lay(surface, person, pattern, amount * opacity, (free, inside.astype(np.float32)))


def _lay(
    surface: Surface, person: Person, pattern: Field, amount: Field, borders: tuple[Field, Field]
) -> None:
    """Put hair on the surface; `borders` are the distances to the face and to the outside."""
    free, inside = borders
    hair, grid = person.hair, surface.grid
    thick = {"shaved": 0.6, "crop": 2.0, "horseshoe": 2.0}.get(hair.style, 5.5)
    side = np.abs(grid.x) / (np.abs(grid.x) + np.maximum(inside, 0) + 0.5)
    back = -HEAD_DEPTH_MM * (1 - np.sqrt(np.clip(1 - side**2.15, 0, 1)))
    top = person.head.crown_y - _volumes(hair)[0]
    slope = person.head.forehead_slope
    knots = [(top - 30, -96), (top, -86), (top + 9, -52), (top + 26, -22 - slope)]
    dome = back + curve([*knots, (-56, 1 - slope * 0.7), (-20, 0), (160, -10)], grid.y)
    grown = thick * (1.0 if hair.style in ("fringe", "bob") else smoothstep(0, -24, free))
    lifted = _soft_maximum(surface.depth + grown, dome)
    surface.depth += (lifted.astype(np.float32) + 0.35 * pattern - surface.depth) * amount
    color = np.asarray(hair.color, np.float32) * np.clip(1 + 0.38 * pattern, 0.25, 2.2)[..., None]
    surface.paint(color * (0.55 + 0.45 * smoothstep(-2, 14, inside))[..., None], amount, FULL)
    sheen = 0.25 if hair.style == "curly" else 0.8
    surface.gloss += (sheen * np.clip(0.6 + 0.6 * pattern, 0, 2) - surface.gloss) * amount
    np.maximum(surface.cover, amount, out=surface.cover)


def _soft_maximum(a: Field, b: Field) -> Field:
    return np.asarray((a + b + np.sqrt((a - b) ** 2 + 50)) / 2, np.float32)


def shadow_of_hair(person: Person, grid: Grid) -> Field:
    """Return the soft darkness that the hairline throws on the forehead and temples."""
    free = _opening(person, grid, np.zeros(grid.shape, np.float32))
    deep = {"shaved": 0.0, "crop": 0.12, "horseshoe": 0.1, "tied": 0.15}.get(
        person.hair.style, 0.38
    )
    return np.asarray(deep * np.exp(-np.clip(free, 0, 60) / 5.0), np.float32)


def paint_beard(surface: Surface, person: Person) -> None:
    """Add stubble, a moustache, a goatee or a full beard."""
    hair, grid = person.hair, surface.grid
    if person.maleness <= 0:
        return
    rng = np.random.default_rng([person.seed, 37])
    zones = _beard_zones(person, grid)
    grain = noise(rng, Grid(grid.x, grid.y / 1.8, grid.px_per_mm), 1.2)
    blotch = noise(rng, grid, 9)
    shadow = zones["full"] * (0.16 + 0.14 * (hair.beard == "stubble") * hair.beard_density)
    surface.stain((0.60, 0.62, 0.66), np.clip(shadow * (1 + 0.3 * grain), 0, 0.8), FULL)
    if hair.beard == "none":
        return
    zone = zones["full" if hair.beard == "stubble" else hair.beard]
    cover = 0.42 if hair.beard == "stubble" else 0.95
    amount = (
        smoothstep(0.25, 0.75, zone + 0.13 * grain + 0.06 * blotch) * cover * hair.beard_density
    )
    amount = amount * np.clip(0.82 + 0.25 * grain, 0, 1)
    color = np.asarray(hair.color, np.float32) * np.clip(0.85 + 0.3 * grain, 0.3, 2)[..., None]
    surface.paint(color, np.clip(amount, 0, 0.96), FULL)
    if hair.beard != "stubble":
        surface.depth += (2.2 + 0.35 * grain) * amount
    surface.gloss *= 1 - 0.8 * amount


def _beard_zones(person: Person, grid: Grid) -> dict[str, Field]:
    mouth, nose, y0 = person.mouth, person.nose, person.mouth_y
    t = np.abs(grid.x) / (mouth.width + 5)
    strip = smoothstep(nose.length + 7, nose.length + 11, grid.y) * smoothstep(
        y0 + 1, y0 - 3, grid.y - 5 * t**2
    )
    moustache = (
        strip * smoothstep(1.25, 0.95, t) * (1 - 0.35 * bump(grid, (0, nose.length + 10), (3, 5)))
    )
    chin = smoothstep(1.25, 0.75, np.hypot(grid.x / 22, (grid.y - y0 - 28) / 19))
    chin = np.maximum(chin, 0.9 * bump(grid, (0, y0 + 13), (4, 4)))
    link = np.exp(-0.5 * ((np.abs(grid.x) - mouth.width - 2) / 3.5) ** 2) * bump(
        grid, (0, y0 + 12), (60, 8)
    )
    goatee = np.maximum(np.maximum(moustache, chin), 0.6 * link)
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
