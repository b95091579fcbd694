"""Painter of the hair of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from forensic.phantoms.fields import Field, Grid, curve, noise, smoothstep
from forensic.phantoms.person import Hair, Person
from forensic.phantoms.shape import HEAD_DEPTH_MM, half_width
from forensic.phantoms.surface import FULL, Surface


@dataclass(frozen=True)
class _Look:
    """What a style does to the hair's shape and surface.

    Attributes:
        bulk: Factor on the volumes of the person's hair.
        edge_mm: Width over which hair thins out towards the face.
        thickness_mm: How far it stands off the skin.
        opacity: 1 hides the scalp.
        sheen: Strength of reflections.
        shadow: Darkness that the hairline throws on the face.
        hangs: Whether it falls below the ears.
    """

    bulk: float = 1.0
    edge_mm: float = 2.2
    thickness_mm: float = 5.5
    opacity: float = 1.0
    sheen: float = 0.8
    shadow: float = 0.38
    hangs: bool = False


LOOKS = {
    "shaved": _Look(bulk=0.12, edge_mm=6, thickness_mm=0.6, opacity=0.62, shadow=0),
    "crop": _Look(bulk=0.45, edge_mm=4.5, thickness_mm=2, opacity=0.93, shadow=0.12),
    "horseshoe": _Look(bulk=0.35, edge_mm=7, thickness_mm=2, shadow=0.1),
    "side": _Look(edge_mm=4.5),
    "back": _Look(bulk=0.6, edge_mm=6),
    "tied": _Look(bulk=0.35, edge_mm=6, shadow=0.15),
    "curly": _Look(bulk=1.5, edge_mm=2.6, sheen=0.25),
    "fringe": _Look(),
    "bob": _Look(hangs=True),
    "long": _Look(hangs=True),
}


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
    temple_y = max(-28.0 + 0.2 * rise, top + 27)
    knots = [
        (top - 0.1, 0.0),
        (top + 2.5, 17.0 + 0.5 * rise + 1.2 * arch),
        (top + 9, 32.0 + 0.5 * rise + arch),
        (top + 20, 46.0 + 0.3 * rise),
        (temple_y, temple - 1),
    ]
    if LOOKS[hair.style].hangs:
        knots += [(0.0, temple - 4), (45.0, temple - 9), (110.0, temple - 4), (200.0, temple + 8)]
    else:
        ear_y = max(side_y, temple_y + 6)
        knots += [(ear_y, temple + 5), (ear_y + 5, 130.0)]
    y = grid.y - hair.sweep * grid.x * (hair.style != "shaved") + 1.8 * ragged
    free = curve([(at, size**2) for at, size in knots], np.ascontiguousarray(y))
    inside = np.sqrt(np.maximum(free, 0)) - np.abs(grid.x) + 1.2 * ragged
    inside = np.minimum(inside, (y - top) * 0.9)
    if hair.style == "horseshoe":
        bald = 1 - np.hypot(grid.x / (head.temple - 3), (grid.y + 55) / 62)
        inside = np.maximum(inside, bald * 40 + 2 * ragged)
    if not LOOKS[hair.style].hangs:
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
    if LOOKS[hair.style].hangs:
        wide = curve(
            [(-28, radius_x), (20, radius_x + 3), (80, radius_x + 1), (160, radius_x + 4)], grid.y
        )
        return np.asarray(np.where(grid.y > middle, wide - np.abs(grid.x), dome), np.float32)
    thinner = 1.5 + side * smoothstep(25, middle, grid.y)
    fall = half_width(person, grid.y) + thinner - np.abs(grid.x)
    return np.asarray(np.where(grid.y > middle, fall, dome), np.float32)


def _volumes(hair: Hair) -> tuple[float, float]:
    """Return how far the hair stands off the crown and the sides, mm."""
    bulk = LOOKS[hair.style].bulk
    return hair.volume_top * bulk, hair.volume_side * bulk


def paint_hair(surface: Surface, person: Person) -> None:
    """Cover the skull with hair and let it fall over the ears where it is long."""
    hair, look = person.hair, LOOKS[person.hair.style]
    lowest = hair.length_y + 14 if look.hangs else max(hair.length_y, 0) + 14
    part = surface.view(surface.grid.window((-125, 125), (-999, lowest)))
    rng = np.random.default_rng([person.seed, 36])
    pattern = _combed(person, part.grid, rng)
    free = _opening(person, part.grid, pattern)
    inside = _outline(person, part.grid) + 0.9 * pattern
    if hair.style == "curly":
        inside = inside + 2.2 * noise(rng, part.grid, 6)
    amount = smoothstep(0.6, -look.edge_mm, free) * smoothstep(-0.8, 0.8, inside) * look.opacity
    if look.hangs:
        amount *= smoothstep(hair.length_y + 3, hair.length_y - 5, part.grid.y + 3 * pattern)
    _lay(part, person, pattern, amount, (free, inside))


def _lay(
    surface: Surface, person: Person, pattern: Field, amount: Field, borders: tuple[Field, Field]
) -> None:
    """Put hair on the surface; `borders` are the distances to the face and to the outside."""
    free, inside = borders
    hair, look = person.hair, LOOKS[person.hair.style]
    grown = look.thickness_mm * np.ones_like(free)
    if hair.style not in ("fringe", "bob"):
        grown *= smoothstep(0, -24, free)
    lifted = _soft_maximum(surface.depth + grown, _dome(person, surface.grid, inside))
    surface.depth += (lifted + 0.35 * pattern - surface.depth) * amount
    color = np.asarray(hair.color, np.float32) * np.clip(1 + 0.38 * pattern, 0.25, 2.2)[..., None]
    surface.paint(color * (0.55 + 0.45 * smoothstep(-2, 14, inside))[..., None], amount, FULL)
    sheen = look.sheen * np.clip(0.6 + 0.6 * pattern, 0, 2)
    surface.gloss += (sheen - surface.gloss) * amount
    np.maximum(surface.cover, amount, out=surface.cover)


def _dome(person: Person, grid: Grid, inside: Field) -> Field:
    """Return the depth of the hair's outer surface."""
    side = np.abs(grid.x) / (np.abs(grid.x) + np.maximum(inside, 0) + 0.5)
    round_off = HEAD_DEPTH_MM * (1 - np.sqrt(np.clip(1 - side**2.15, 0, 1)))
    top, slope = person.head.crown_y - _volumes(person.hair)[0], person.head.forehead_slope
    knots = [(top - 30, -96), (top, -86), (top + 9, -52), (top + 26, -22 - slope)]
    middle = curve([*knots, (-56, 1 - slope * 0.7), (-20, 0), (160, -10)], grid.y)
    return np.asarray(middle - round_off, np.float32)


def _soft_maximum(a: Field, b: Field) -> Field:
    return np.asarray((a + b + np.sqrt((a - b) ** 2 + 50)) / 2, np.float32)


def shadow_of_hair(person: Person, grid: Grid) -> Field:
    """Return the soft darkness that the hairline throws on the forehead and temples."""
    free = _opening(person, grid, np.zeros(grid.shape, np.float32))
    deep = LOOKS[person.hair.style].shadow
    return np.asarray(deep * np.exp(-np.clip(free, 0, 60) / 5.0), np.float32)
