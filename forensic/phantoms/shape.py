"""The relief of a phantom's head: depth towards the viewer over the picture plane, in mm."""

from __future__ import annotations

import numpy as np

from forensic.phantoms.conditions import Conditions
from forensic.phantoms.fields import (
    Field,
    Grid,
    bump,
    crease,
    curve,
    noise,
    smoothstep,
    twin_bump,
)
from forensic.phantoms.person import Person

HEAD_DEPTH_MM = 84.0


def half_width(person: Person, y: Field) -> Field:
    """Return half the width of the bare head at each height; 0 above the crown, below the chin."""
    head = person.head
    span = head.chin_y - head.jaw_y
    knots = [
        (head.crown_y, 0.0),
        (head.crown_y + 10, 0.58 * head.temple),
        (head.crown_y + 28, 0.87 * head.temple),
        (-52.0, head.temple),
        (-24.0, 0.985 * head.temple),
        (head.cheekbone_y - 8, head.cheek),
        (head.cheekbone_y + 18, 0.62 * head.cheek + 0.38 * max(head.jaw + 6, 50)),
        (head.jaw_y, head.jaw),
        (head.jaw_y + 0.52 * span, 0.58 * head.jaw + 0.42 * head.chin_width + 5),
        (head.chin_y - 5, head.chin_width + 3),
        (head.chin_y - 1.6, 0.68 * head.chin_width),
        (head.chin_y, 0.0),
    ]
    squared = [(at, width**2) for at, width in knots]
    return np.sqrt(np.maximum(curve(squared, y), 0))


def head_relief(person: Person, conditions: Conditions, grid: Grid) -> tuple[Field, Field]:
    """Return the depth of the face and the signed distance (mm, positive inside) to its outline.

    Eyeballs, lids and lips are added by their painters; this is the relief that carries them.
    """
    head = person.head
    skew = head.skew * (grid.y / 100) * (grid.y > 0)
    width = np.maximum(half_width(person, grid.y), 0.5)
    side = np.abs(grid.x - skew) / width
    inside = (1 - side) * width
    inside = np.minimum(inside, np.minimum(grid.y - head.crown_y, head.chin_y - grid.y) * 0.8)
    middle = curve(
        [
            (head.crown_y, -88),
            (head.crown_y + 8, -52),
            (head.crown_y + 24, -22 - head.forehead_slope),
            (-58, -4 - head.forehead_slope * 0.7),
            (-34, 2),
            (-12, 3),
            (8, 0),
            (person.nose.length, 1),
            (person.mouth_y, 2),
            (head.chin_y - 24, 0),
            (head.chin_y - 10, 0),
            (head.chin_y, -9),
        ],
        grid.y,
    )
    roundness = 1 - np.sqrt(np.clip(1 - np.minimum(side, 1) ** 2.15, 0, 1))
    depth = middle - HEAD_DEPTH_MM * np.minimum(roundness, 1 + 0 * roundness)
    depth = depth + _bones(person, conditions, grid) + _nose(person, grid) + _age(person, grid)
    return np.maximum(depth, -HEAD_DEPTH_MM - 6).astype(np.float32), inside.astype(np.float32)


def _bones(person: Person, conditions: Conditions, grid: Grid) -> Field:
    head, eyes, mouth_y = person.head, person.eyes, person.mouth_y
    half = eyes.spacing / 2
    smile = max(conditions.smile, 0)
    relief = head.brow_ridge * twin_bump(grid, (24, -17), (15, 5.5))
    relief += 0.5 * head.brow_ridge * bump(grid, (0, -15), (12, 7))
    relief -= eyes.socket * twin_bump(grid, (half - 1, -3), (15, 8.5))
    relief -= 0.55 * eyes.socket * twin_bump(grid, (15, -1), (6, 8))
    relief += (head.cheekbone_out + 2.5 * smile) * twin_bump(
        grid, (45, head.cheekbone_y - 2 * smile), (15, 12)
    )
    relief -= head.cheek_hollow * twin_bump(grid, (44, 60), (11, 17))
    relief += head.muzzle_out * bump(grid, (0, mouth_y), (27, 17))
    relief += head.chin_out * bump(grid, (0, head.chin_y - 13), (15, 9))
    relief -= 2.6 * bump(grid, (0, mouth_y + 15), (15, 4.0))
    relief -= max(head.chin_cleft, 0) * bump(grid, (0, head.chin_y - 12), (1.6, 6))
    return np.asarray(relief, np.float32)


def _nose(person: Person, grid: Grid) -> Field:
    nose = person.nose
    tip_y = nose.length - nose.tip_lift
    centre = nose.bend * np.exp(-0.5 * ((grid.y - tip_y * 0.55) / 14) ** 2)
    ridge = curve(
        [
            (-22, 0),
            (-9, 0.55 * nose.bridge),
            (4, nose.bridge),
            (tip_y * 0.5, 0.5 * (nose.bridge + nose.height) + nose.hump),
            (tip_y - 6, 0.95 * nose.height),
            (tip_y, nose.height),
            (nose.length + 4, 0.66 * nose.height),
            (nose.length + 8, 0.25 * nose.height),
            (nose.length + 12, 1.5),
            (nose.length + 18, 0),
        ],
        grid.y,
    )
    spread = curve(
        [
            (-22, nose.bridge_width + 3),
            (0, nose.bridge_width),
            (tip_y * 0.55, nose.bridge_width + 0.8),
            (tip_y, nose.tip_width),
            (nose.length + 12, nose.tip_width),
        ],
        grid.y,
    )
    across = (grid.x - centre) / spread
    relief = ridge * np.exp(-0.5 * across**2)
    wing_y = nose.length - 1
    relief = relief + 1.8 * bump(grid, (nose.bend * 0.3, tip_y - 1.5), (5.0, 4.5))
    relief = relief + 7.5 * twin_bump(grid, (nose.width - 4.6, wing_y), (4.3, 4.9))
    relief = relief - 1.5 * twin_bump(grid, (nose.width + 2.5, wing_y + 0.5), (2.2, 5.0))
    relief = relief - 0.9 * twin_bump(grid, (nose.width - 8.2, wing_y - 6), (2.4, 3.4))
    relief = relief - person.mouth.philtrum * bump(grid, (0, nose.length + 14), (2.0, 5))
    return np.asarray(relief, np.float32)


def _age(person: Person, grid: Grid) -> Field:
    """Folds, bags and wrinkles."""
    skin, mouth, nose = person.skin, person.mouth, person.nose
    rng = np.random.default_rng([person.seed, 31])
    relief = np.zeros(grid.shape, np.float32)
    start, end = nose.length - 6, person.mouth_y + 9
    t = np.clip((grid.y - start) / (end - start), 0, 1)
    line = nose.width + 2 + (mouth.width + 6 - nose.width) * t**1.3
    fade = smoothstep(start - 4, start + 8, grid.y) * smoothstep(end + 6, end - 10, grid.y)
    fold = max(mouth.fold, 0.1) * fade
    relief -= fold * np.exp(-0.5 * ((np.abs(grid.x) - line) / 1.7) ** 2)
    relief += 0.8 * fold * np.exp(-0.5 * ((np.abs(grid.x) - line - 5) / 4) ** 2)
    half, bag_y = person.eyes.spacing / 2, 13.5 + person.eyes.lower
    arc = bag_y - 0.012 * (np.abs(grid.x) - half) ** 2
    reach = np.exp(-0.5 * ((np.abs(grid.x) - half) / 9) ** 4)
    bag = max(person.eyes.bag, 0) * reach
    relief += crease(grid.y - arc + 4, 3.2, bag) - crease(grid.y - arc, 1.3, 0.8 * bag)
    if skin.wrinkles > 0.08:
        relief -= _wrinkles(person, grid, rng)
    return relief


def _wrinkles(person: Person, grid: Grid, rng: np.random.Generator) -> Field:
    amount = person.skin.wrinkles
    relief = np.zeros(grid.shape, np.float32)
    brow_y = person.brows.y
    for row in range(4):
        wave = noise(rng, Grid(grid.x, grid.y[:1] * 0, grid.px_per_mm), 22)[:1]
        y = brow_y - 11 - 7.5 * row + 1.6 * wave + 0.0012 * grid.x**2
        reach = np.exp(-0.5 * (grid.x / 33) ** 4) * (0.7 + 0.3 * wave)
        relief += crease(grid.y - y, 0.9, 0.42 * amount * reach * rng.uniform(0.5, 1))
    outer = person.eyes.spacing / 2 + person.eyes.length / 2
    for angle in (-0.35, 0.0, 0.35):
        along = np.abs(grid.x) - outer - 2
        reach = smoothstep(0, 4, along) * smoothstep(17, 8, along)
        relief += crease(grid.y - 1 - angle * along, 0.8, 0.45 * amount * reach)
    for side in (-1, 1):
        x = side * (4.5 + rng.uniform(-1, 1)) + 0.1 * side * (brow_y - grid.y)
        reach = crease(grid.y - brow_y - 2, 5.5)
        relief += 0.55 * amount * crease(grid.x - x, 0.9) * reach
    return relief
