"""What surrounds a head: wall, neck, clothes and the hair that falls behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensic.phantoms.conditions import Conditions
from forensic.phantoms.fields import Field, Grid, curve, noise, smoothstep
from forensic.phantoms.hair import strand_noise
from forensic.phantoms.person import Person
from forensic.phantoms.shape import half_width
from forensic.phantoms.skin import skin_color

Canvas = NDArray[np.float32]


def draw_scene(person: Person, conditions: Conditions, grid: Grid) -> Canvas:
    """Return everything behind the head, (H, W, 3) linear RGB light."""
    rng = np.random.default_rng([conditions.seed, 42])
    canvas = _wall(conditions, grid, rng)
    lean_x = conditions.shift_mm[0] + 30 * float(np.sin(conditions.roll))
    body = Grid(grid.x - lean_x, grid.y - conditions.shift_mm[1], grid.px_per_mm)
    _hang_hair(canvas, person, conditions, body)
    _draw_neck(canvas, person, conditions, body)
    _draw_clothes(canvas, person, conditions, body, rng)
    return canvas


def _wall(conditions: Conditions, grid: Grid, rng: np.random.Generator) -> Canvas:
    fall = 1 - 0.16 * (grid.x * conditions.key[0] * -1 + grid.y * 0.35 + 40) / 150
    fall = fall + 0.02 * noise(rng, grid, 60)
    wall = np.asarray(conditions.background, np.float32) * np.clip(fall, 0.3, 1.4)[..., None]
    shade = np.exp(
        -0.5 * (((grid.x + 45 * conditions.key[0]) / 95) ** 2 + ((grid.y - 15) / 130) ** 2)
    )
    return np.asarray(wall * (1 - 0.22 * shade[..., None]), np.float32)


def _mix(canvas: Canvas, color: Field, amount: Field) -> None:
    canvas += (color - canvas) * amount[..., None]


def _hang_hair(canvas: Canvas, person: Person, conditions: Conditions, grid: Grid) -> None:
    hair = person.hair
    if hair.style not in ("long", "bob"):
        return
    rng = np.random.default_rng([person.seed, 38])
    edge = curve(
        [(-75, 0), (-50, 40), (-20, 66), (60, 70 + hair.volume_side), (170, 74 + hair.volume_side)],
        grid.y,
    )
    strands = strand_noise(
        rng, np.asarray(grid.x + 0 * grid.y), np.asarray(grid.y + 0 * grid.x), 0.6
    )
    amount = smoothstep(-1.5, 1.5, edge - np.abs(grid.x) + 1.2 * strands) * (grid.y > -70)
    amount = amount * smoothstep(hair.length_y + 4, hair.length_y - 4, grid.y + 3 * strands)
    light = 0.34 * conditions.key_power * np.clip(1 + 0.35 * strands, 0.3, 2)
    _mix(canvas, np.asarray(hair.color, np.float32) * light[..., None], amount)


def _draw_neck(canvas: Canvas, person: Person, conditions: Conditions, grid: Grid) -> None:
    neck, chin = min(person.head.neck, person.head.jaw - 3), person.head.chin_y
    width = curve(
        [
            (60, neck + 2),
            (chin, neck),
            (chin + 22, neck + 2),
            (chin + 42, neck + 22),
            (190, neck + 75),
        ],
        grid.y,
    )
    side = np.clip(grid.x / width, -1, 1)
    facing = np.clip(np.sqrt(1 - side**2) * conditions.key[2] + side * conditions.key[0], 0, None)
    light = conditions.ambient * 0.8 + conditions.key_power * facing * 0.9 + 0.1
    jaw = half_width(person, grid.y - 17) + 3 - np.abs(grid.x - 18 * conditions.key[0])
    under = smoothstep(-7, 9, jaw) * smoothstep(chin + 34, chin + 8, grid.y)
    cords = 0.06 * np.exp(-0.5 * ((np.abs(grid.x) - neck * 0.45 + (grid.y - chin) * 0.35) / 4) ** 2)
    light = light * (0.88 - 0.55 * under) * (1 + cords)
    amount = smoothstep(-1, 1, width - np.abs(grid.x)) * smoothstep(50, 52, grid.y)
    _mix(canvas, skin_color(person.skin) * np.asarray(light[..., None], np.float32), amount)


def _draw_clothes(
    canvas: Canvas, person: Person, conditions: Conditions, grid: Grid, rng: np.random.Generator
) -> None:
    neck, chin = person.head.neck, person.head.chin_y
    top = chin + 19
    slope = curve(
        [
            (0, top + 1),
            (neck, top + 2),
            (neck + 28, top + 16),
            (neck + 62, top + 30),
            (190, top + 80),
        ],
        np.abs(grid.x),
    )
    hole = top + 8 + conditions.collar * np.sqrt(np.clip(1 - (grid.x / (neck + 4)) ** 2, 0, 1))
    edge = np.where(np.abs(grid.x) < neck + 4, np.maximum(slope, hole), slope)
    weave = 0.04 * noise(rng, grid, 1.2) + 0.14 * noise(
        rng, Grid(grid.x, grid.y / 2.2, grid.px_per_mm), 14
    )
    light = (0.55 + 0.35 * conditions.key[0] * grid.x / 90) * (1 + weave)
    hem = np.exp(-0.5 * ((grid.y - edge - 5) / 1.0) ** 2) * (np.abs(grid.x) < neck + 6)
    cloth = (
        np.asarray(conditions.cloth, np.float32)
        * np.asarray(light * (1 - 0.4 * hem), np.float32)[..., None]
    )
    shadow = np.exp(-np.clip(edge - grid.y, 0, 50) / 3.0) * (grid.y < edge)
    canvas *= 1 - 0.3 * shadow[..., None].astype(np.float32)
    _mix(canvas, cloth, smoothstep(-0.8, 0.8, np.asarray(grid.y - edge, np.float32)))
