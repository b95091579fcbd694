"""Colour and fine texture of a phantom's skin: pigment, blood, marks, ears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensic.phantoms.fields import (
    Field,
    Grid,
    bump,
    curve,
    noise,
    smoothstep,
    twin_bump,
)
from forensic.phantoms.person import Person, Skin
from forensic.phantoms.shape import half_width
from forensic.phantoms.surface import FULL, Surface

TONES_SRGB = np.array(
    [(238, 204, 186), (226, 186, 160), (205, 158, 128), (171, 122, 92), (128, 86, 62), (86, 56, 42)]
)


def skin_color(skin: Skin) -> NDArray[np.float32]:
    """Return the mean reflectance of a skin, linear RGB."""
    at = skin.melanin * (len(TONES_SRGB) - 1)
    places = np.arange(len(TONES_SRGB))
    srgb = [np.interp(at, places, TONES_SRGB[:, c]) for c in range(3)]
    linear = (np.array(srgb) / 255) ** 2.2
    flush = (skin.blood - 0.45) * (1 - 0.6 * skin.melanin)
    return np.asarray(linear * (1 + flush * np.array([0.06, -0.16, -0.16])), np.float32)


def paint_skin(surface: Surface, person: Person) -> None:
    """Cover the whole surface with skin and give it pores."""
    skin, grid = person.skin, surface.grid
    rng = np.random.default_rng([person.seed, 32])
    surface.albedo[:] = skin_color(skin)
    mottle = 0.6 * noise(rng, grid, 9) + 0.6 * noise(rng, grid, 3.5) + 0.5 * noise(rng, grid, 1.3)
    surface.albedo *= (1 + 0.045 * skin.blotches * mottle)[..., None]
    _flush(surface, person, noise(rng, grid, 14))
    _shade_eyes(surface, person)
    _mark(surface, person, rng)
    pores = noise(rng, grid, 1.1)
    where = 0.5 + twin_bump(grid, (24, 30), (16, 16)) + bump(grid, (0, 35), (10, 16))
    surface.depth += 0.045 * (0.6 + skin.wrinkles) * pores * where
    surface.gloss += skin.gloss * (0.55 + _oily(grid) + 0.12 * pores)


def _oily(grid: Grid) -> Field:
    zone = bump(grid, (0, -45), (26, 16)) + bump(grid, (0, 25), (8, 22))
    return np.asarray(zone + 0.7 * twin_bump(grid, (40, 22), (14, 9)), np.float32)


def _flush(surface: Surface, person: Person, patchy: Field) -> None:
    grid, skin = surface.grid, person.skin
    red = twin_bump(grid, (42, 32), (17, 17)) * (0.8 + 0.25 * patchy)
    red += 0.9 * bump(grid, (0, person.nose.length - 3), (15, 9))
    red += 0.4 * bump(grid, (0, person.head.chin_y - 12), (16, 9))
    red += 0.15 * patchy * skin.blotches
    pale = bump(grid, (0, -48), (38, 18)) * 0.35
    amount = np.clip((red - pale) * (0.35 + 0.6 * skin.blood), -0.6, 1.2)
    surface.stain((0.985, 0.80, 0.78), amount * (1 - 0.45 * skin.melanin), FULL)


def _shade_eyes(surface: Surface, person: Person) -> None:
    grid, half = surface.grid, person.eyes.spacing / 2
    dark = 0.55 * twin_bump(grid, (half - 3, 9), (12, 5.0))
    dark += 0.6 * twin_bump(grid, (half, -7), (13, 4.5))
    dark += 0.5 * twin_bump(grid, (14, 2), (5, 8))
    amount = np.clip(
        dark * (0.35 + 0.3 * max(person.eyes.bag, 0) + 0.25 * person.skin.melanin), 0, 0.9
    )
    surface.stain((0.66, 0.54, 0.56), amount, FULL)


def _mark(surface: Surface, person: Person, rng: np.random.Generator) -> None:
    grid, skin = surface.grid, person.skin
    if skin.freckles > 0:
        spots = smoothstep(1.15, 2.0, noise(rng, grid, 2.2))
        zone = twin_bump(grid, (28, 20), (20, 15)) + bump(grid, (0, 15), (14, 20)) + 0.25
        surface.stain((0.70, 0.55, 0.45), np.clip(spots * zone * skin.freckles, 0, 1), FULL)
    if skin.age_years > 55:
        spots = smoothstep(1.5, 2.8, noise(rng, grid, 5.0))
        surface.stain((0.80, 0.70, 0.62), 0.6 * spots, FULL)
    for x, y, radius in skin.moles_mm:
        window = grid.window((x - 8, x + 8), (y - 8, y + 8))
        part = grid.cut(window)
        distance = np.hypot(part.x - x, part.y - y)
        spot = smoothstep(radius + 0.5, radius - 0.5, distance)
        surface.stain((0.28, 0.20, 0.17), 0.85 * spot, window)
        surface.depth[window] += 0.5 * spot


def paint_ears(surface: Surface, person: Person) -> None:
    """Add both ears beside the head, behind its outline."""
    grid, head = surface.grid, person.head
    if person.hair.style in ("bob", "long"):
        return  # the hair lies over them
    for side in (-1, 1):
        edge = float(half_width(person, np.array([head.ear_y], np.float32))[0])
        reach = head.ear_out + 9
        low, high = (edge - 9, edge + reach) if side > 0 else (-edge - reach, -edge + 9)
        tall = head.ear_size / 2
        window = grid.window((low, high), (head.ear_y - tall - 4, head.ear_y + tall + 4))
        part = grid.cut(window)
        down = (part.y - head.ear_y) / tall  # -1 at the top, 1 at the lobe
        out = curve(
            [(-1, 0.35), (-0.75, 0.85), (-0.35, 1.0), (0.2, 0.78), (0.7, 0.42), (1, 0.1)], down
        )
        across = (side * part.x - edge + 8) / (8 + head.ear_out * out + 0.01)
        radius = np.sqrt(np.clip(down, -2, 2) ** 4 + np.maximum(across, 0) ** 4)
        shape = smoothstep(1.03, 0.97, radius.astype(np.float32))
        rim = np.exp(-0.5 * ((radius - 0.88) / 0.075) ** 2) * (down < 0.55)
        bowl = np.exp(-0.5 * (((across - 0.5) / 0.2) ** 2 + ((down - 0.05) / 0.4) ** 2))
        fold = np.exp(-0.5 * ((across - 0.68 + 0.1 * down) / 0.06) ** 2) * (np.abs(down) < 0.6)
        behind = shape * (1 - surface.cover[window])
        relief = -HEAD_SIDE_MM + 3.5 * rim - 5 * bowl + 1.5 * fold + 4 * across
        surface.depth[window] += (relief.astype(np.float32) - surface.depth[window]) * behind
        surface.stain((0.90, 0.66, 0.62), (0.5 * behind).astype(np.float32), window)
        surface.stain((0.42, 0.30, 0.28), (0.75 * bowl * behind).astype(np.float32), window)
        np.maximum(surface.cover[window], shape, out=surface.cover[window])


HEAD_SIDE_MM = 80.0
