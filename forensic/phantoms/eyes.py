"""Painters of the eyes, their lids and lashes, the brows and the frames of glasses."""

from __future__ import annotations

import numpy as np

from forensic.phantoms.conditions import Conditions
from forensic.phantoms.fields import Field, Grid, Window, crease, curve, noise, smoothstep
from forensic.phantoms.person import Person
from forensic.phantoms.surface import Surface

EYEBALL_MM = 12.3


def eye_centre(person: Person, side: int) -> tuple[float, float]:
    """Return the middle of an eye (side -1 at smaller x, +1 at larger x) in the head's frame."""
    return side * person.eyes.spacing / 2, side * person.eyes.skew_y / 2


def iris_centre(person: Person, conditions: Conditions, side: int) -> tuple[float, float]:
    """Return the pupil's place in the head's frame."""
    x, y = eye_centre(person, side)
    return x + conditions.gaze_mm[0], y - 1.0 + conditions.gaze_mm[1]


def paint_eyes(surface: Surface, person: Person, conditions: Conditions) -> None:
    """Paint eyeballs, lids and lashes of both eyes."""
    for side in (-1, 1):
        x, y = eye_centre(person, side)
        window = surface.grid.window((x - 30, x + 30), (y - 20, y + 20))
        _EyePainter(surface, person, conditions, side, window).paint()


class _EyePainter:
    """One eye; u runs from the inner (0) to the outer corner (1), lengths in mm."""

    def __init__(
        self,
        surface: Surface,
        person: Person,
        conditions: Conditions,
        side: int,
        window: Window,
    ) -> None:
        self.surface, self.person, self.conditions = surface, person, conditions
        self.side, self.window = side, window
        self.grid = surface.grid.cut(window)
        eyes = person.eyes
        centre_x, self.centre_y = eye_centre(person, side)
        outward = side * (self.grid.x - centre_x)
        self.u = np.clip(outward / eyes.length + 0.5, 0, 1)
        self.beyond = np.abs(outward) - eyes.length / 2
        tilt = -eyes.tilt * (outward / eyes.length)
        squint = 1 - 0.22 * max(conditions.smile, 0)
        arch = np.clip(np.sin(np.pi * self.u**eyes.peak), 0, 1) ** 0.85
        bowl = np.clip(np.sin(np.pi * self.u**1.15), 0, 1) ** 0.95
        self.upper_y = self.centre_y + tilt - eyes.upper * conditions.openness * squint * arch
        self.lower_y = self.centre_y + tilt + eyes.lower * (2 - squint) ** -1.2 * bowl
        self.arch = arch

    def paint(self) -> None:
        self._round_lids()
        opening = self._opening()
        self._paint_ball(opening)
        self._paint_lids(opening)
        self._paint_lashes()

    def _opening(self) -> Field:
        soft = 0.45
        above = smoothstep(-soft, soft, self.grid.y - self.upper_y)
        below = smoothstep(-soft, soft, self.lower_y - self.grid.y)
        ends = smoothstep(0.3, -0.3, self.beyond)
        return np.asarray(above * below * ends, np.float32)

    def _round_lids(self) -> None:
        """Raise the lids over the ball and fold the skin above them."""
        eyes, grid = self.person.eyes, self.grid
        reach = smoothstep(9, -6, self.beyond)
        bulge = np.exp(-0.5 * ((grid.y - self.centre_y - 0.5) / 6.2) ** 2) * self.arch**0.7
        depth = self.surface.depth[self.window]
        depth += 4.6 * bulge
        gap = max(eyes.crease_gap, 1.2)
        self.fold_y = self.upper_y - gap * (0.45 + 0.55 * self.arch) + 0.4
        depth -= crease(grid.y - self.fold_y, 0.85, max(eyes.crease_depth, 0.25) * 1.15 * reach)
        depth += crease(grid.y - self.fold_y + 2.6, 1.9, 0.55 * max(eyes.crease_depth, 0.2) * reach)
        depth -= crease(grid.y - self.lower_y - 4.6, 1.2, 0.28 * reach)

    def _paint_ball(self, opening: Field) -> None:
        surface, grid, conditions = self.surface, self.grid, self.conditions
        x, y = iris_centre(self.person, conditions, self.side)
        dx, dy = grid.x - x, grid.y - y
        radius = np.hypot(dx, dy)
        white = np.array([0.50, 0.455, 0.43], np.float32) * (1 - 0.2 * self.person.skin.melanin)
        surface.paint(white, opening, self.window)
        corner = np.exp(-self.u * 13) + 0.35 * np.exp(-(1 - self.u) * 11)
        surface.stain((0.85, 0.45, 0.40), opening * np.clip(corner, 0, 0.9), self.window)
        self._paint_iris(opening, radius, np.arctan2(dy, dx))
        lid = np.exp(-np.maximum(grid.y - self.upper_y, 0) / 1.7)
        sides = np.clip((np.abs(self.u - 0.5) * 2) ** 3, 0, 1)
        dim = np.clip(0.62 * lid + 0.42 * sides, 0, 0.85)
        surface.stain((0.28, 0.24, 0.23), (opening * dim).astype(np.float32), self.window)
        key = conditions.key
        glint = np.hypot(dx - 3.0 * key[0] - 0.3, dy - 2.7 * key[1])
        surface.sparkle[self.window] += 0.75 * opening * smoothstep(1.15, 0.45, glint)
        surface.gloss[self.window] *= 1 - opening
        depth = surface.depth[self.window]
        depth -= 0.8 * opening

    def _paint_iris(self, opening: Field, radius: Field, angle: Field) -> None:
        size = self.person.eyes.iris
        rng = np.random.default_rng([self.person.seed, 33])
        spokes = np.zeros(self.grid.shape, np.float32)
        for count in (9, 17, 29):
            spokes += np.sin(count * angle + rng.uniform(0, 6.3)) / 3
        disc = opening * smoothstep(size + 0.4, size - 0.5, radius)
        base = np.asarray(self.person.iris_color, np.float32)
        color = (
            base
            * (1 + 0.22 * spokes + 0.5 * np.exp(-((radius / size - 0.55) ** 2) / 0.04))[..., None]
        )
        self.surface.paint(color.astype(np.float32), disc, self.window)
        rim = disc * np.exp(-0.5 * ((radius - size) / 0.8) ** 2)
        self.surface.stain((0.25, 0.25, 0.27), rim.astype(np.float32), self.window)
        pupil = opening * smoothstep(2.5, 1.7, radius)
        self.surface.paint((0.004, 0.004, 0.005), pupil, self.window)

    def _paint_lids(self, opening: Field) -> None:
        surface, grid = self.surface, self.grid
        reach = smoothstep(7, -4, self.beyond)
        shade = crease(grid.y - self.fold_y, 0.8, 0.55 * reach)
        surface.stain((0.50, 0.36, 0.33), shade, self.window)
        rim = crease(grid.y - self.lower_y - 0.5, 0.55, smoothstep(0.5, -1.5, self.beyond))
        surface.stain((0.92, 0.62, 0.60), 0.75 * rim * (1 - opening), self.window)

    def _paint_lashes(self) -> None:
        surface, grid, person = self.surface, self.grid, self.person
        strength = 0.80 - 0.14 * person.maleness - 0.25 * max(person.skin.wrinkles, 0)
        inner = smoothstep(0.0, 0.25, self.u) * smoothstep(2.6, -0.5, self.beyond)
        line = crease(grid.y - self.upper_y + 0.15, 0.62 + 0.35 * self.u, strength * inner)
        wing = crease(grid.y - self.upper_y + 1.5, 1.1, 0.5 * strength * inner * self.u)
        dark = np.asarray(person.hair.color) * 0.25 + 0.006
        surface.paint(dark, np.clip(line + wing, 0, 0.95).astype(np.float32), self.window)
        lower = crease(grid.y - self.lower_y - 0.7, 0.5, 0.32 * strength * inner)
        surface.paint(dark, lower, self.window)


def paint_brows(surface: Surface, person: Person, conditions: Conditions) -> None:
    """Paint both brows as fine hairs that lie along them."""
    brows = person.brows
    rng = np.random.default_rng([person.seed, 34])
    for side in (-1, 1):
        y0 = brows.y - 2.6 * conditions.brow_raise + side * person.eyes.skew_y / 2
        window = surface.grid.window(
            (min(side * 2, side * 75), max(side * 2, side * 75)), (y0 - 18, y0 + 16)
        )
        grid = surface.grid.cut(window)
        along = (side * grid.x - brows.inner) / brows.length
        u = np.clip(along, 0, 1)
        lift = curve([(0, 0), (brows.peak, brows.arch + brows.slope * 0.6), (1, brows.slope)], u[0])
        middle = y0 + 2.0 - lift[None, :]
        half = max(brows.thickness, 1.6) * curve(
            [(0, 0.8), (0.18, 1.0), (brows.peak, 0.8), (1, 0.15)], u[0]
        )
        strands = _strands(rng, grid)
        ragged = np.abs(grid.y - middle) + 0.6 * strands
        body = smoothstep(1.3, 0.2, ragged / half[None, :])
        ends = smoothstep(-0.07, 0.10, along + 0.02 * strands) * smoothstep(1.05, 0.9, along)
        hairs = np.clip(0.88 + 0.22 * strands, 0.2, 1)
        amount = np.clip(body * ends * hairs * np.clip(brows.density, 0.35, 1.0), 0, 0.93)
        color = np.asarray(person.hair.color) * 0.55 + 0.3 * np.array([0.035, 0.022, 0.016])
        surface.paint(color, amount.astype(np.float32), window)
        surface.depth[window] += 0.5 * amount
        surface.gloss[window] *= 1 - amount


def _strands(rng: np.random.Generator, grid: Grid) -> Field:
    """Return noise stretched along hairs that rise outwards."""
    lean = Grid(grid.x / 2.4, grid.y, grid.px_per_mm)
    return noise(rng, lean, 0.8) * 0.7 + noise(rng, grid, 1.0) * 0.4


def paint_glasses(surface: Surface, person: Person) -> None:
    """Put on the frames of a person who wears glasses."""
    if person.glasses is None:
        return
    half_x, half_y, roundness = person.glasses
    window = surface.grid.window((-80, 80), (-30, 40))
    grid = surface.grid.cut(window)
    centre_x = max(person.eyes.spacing / 2, half_x + 6)
    across, down = np.abs(np.abs(grid.x) - centre_x) / half_x, np.abs(grid.y - 3) / half_y
    radial = (across**roundness + down**roundness) ** (1 / roundness)
    rim = smoothstep(1.4, 0.6, np.abs(radial - 1) * half_y)
    bridge = smoothstep(1.3, 0.5, np.abs(grid.y + 1)) * (np.abs(grid.x) < centre_x - half_x)
    temple = smoothstep(1.3, 0.5, np.abs(grid.y + 3)) * (np.abs(grid.x) > centre_x + half_x)
    frame = np.clip(rim + bridge + temple, 0, 1).astype(np.float32)
    under = np.roll(frame, round(2.5 * grid.px_per_mm), axis=0)
    surface.stain((0.6, 0.55, 0.55), 0.5 * under, window)
    surface.paint((0.012, 0.010, 0.010), 0.95 * frame, window)
    surface.sparkle[window] += 0.012 * (radial < 1)
    surface.gloss[window] += 1.5 * frame
