"""The camera's door: a phantom and a seed of conditions in, a picture and its landmarks out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import gaussian_filter

from forensic.phantoms.beard import paint_beard
from forensic.phantoms.camera import develop, project, warp_to_camera
from forensic.phantoms.conditions import Conditions, draw_conditions
from forensic.phantoms.eyes import (
    iris_centre,
    paint_brows,
    paint_eyes,
    paint_glasses,
)
from forensic.phantoms.fields import Field, Grid, create_grid, smoothstep
from forensic.phantoms.hair import paint_hair, shadow_of_hair
from forensic.phantoms.light import shade
from forensic.phantoms.mouth import mouth_corners, paint_mouth, paint_nostrils
from forensic.phantoms.person import Person, create_person
from forensic.phantoms.scene import draw_scene
from forensic.phantoms.shape import head_relief
from forensic.phantoms.skin import paint_ears, paint_skin
from forensic.phantoms.surface import FULL, Surface, create_surface
from forensic.values import RGB, Landmarks

PHOTO_SIZE_HW = (250, 200)
SUPERSAMPLE = 2
PX_PER_MM = 0.8  # of a picture 250 px high: the pupils lie about 50 px apart


def render_photo(
    person: Person, conditions_seed: int, size_hw: tuple[int, int] = PHOTO_SIZE_HW
) -> tuple[RGB, Landmarks]:
    """Take one picture of a phantom.

    Args:
        person: Who is photographed.
        conditions_seed: Draws pose, expression, light, background and camera; the same seed
            gives the same picture.
        size_hw: Rows and columns of the picture; the head fills it as in a mugshot.

    Returns:
        The picture, and its true landmarks in pixels.
    """
    conditions = draw_conditions(conditions_seed)
    scale = PX_PER_MM * min(size_hw[0] / PHOTO_SIZE_HW[0], size_hw[1] / PHOTO_SIZE_HW[1])
    large = (size_hw[0] * SUPERSAMPLE, size_hw[1] * SUPERSAMPLE)
    grid = create_grid(large, scale * SUPERSAMPLE)
    head = build_head(person, conditions, grid)
    colors = shade(head, conditions) * head.cover[..., None]
    layer = np.concatenate([colors, head.cover[..., None]], axis=2)
    seen = warp_to_camera(layer, head.depth, grid, conditions)
    scene = draw_scene(person, conditions, grid)
    picture = develop(scene * (1 - seen[..., 3:]) + seen[..., :3], conditions, SUPERSAMPLE)
    return picture, _landmarks(person, conditions, head, size_hw, scale)


def render_photos(
    requests: Iterable[tuple[int, int]], size_hw: tuple[int, int] = PHOTO_SIZE_HW
) -> list[tuple[RGB, Landmarks]]:
    """Take one picture for each (person seed, conditions seed)."""
    return [render_photo(create_person(who), how, size_hw) for who, how in requests]


def build_head(person: Person, conditions: Conditions, grid: Grid) -> Surface:
    """Return the painted head of a person with an expression, before light falls on it."""
    depth, inside = head_relief(person, conditions, grid)
    head = create_surface(grid, depth, smoothstep(-0.6, 0.6, inside))
    paint_skin(head, person)
    paint_ears(head, person)
    paint_nostrils(head, person)
    paint_mouth(head, person, conditions)
    paint_eyes(head, person, conditions)
    paint_beard(head, person)
    head.stain((0.45, 0.40, 0.38), shadow_of_hair(person, grid), FULL)
    paint_brows(head, person, conditions)
    paint_hair(head, person)
    paint_glasses(head, person)
    head.cover[:2] = 0  # what lies above the grid is wall, not a smear of its first row
    return head


def _landmarks(
    person: Person, conditions: Conditions, head: Surface, size_hw: tuple[int, int], scale: float
) -> Landmarks:
    half, rise = mouth_corners(person, conditions)
    corner_y = person.mouth_y - rise
    nose = (person.nose.bend * 0.3, person.nose.length - person.nose.tip_lift - 1)
    flat = [iris_centre(person, conditions, -1), iris_centre(person, conditions, 1), nose,
            (-half, corner_y), (half, corner_y)]  # fmt: skip
    smooth = gaussian_filter(head.depth, head.grid.px_per_mm)
    points = np.array([(x, y, _depth_at(smooth, head.grid, x, y)) for x, y in flat])
    placed = project(points, conditions) * scale + np.array([size_hw[1], size_hw[0]]) / 2 - 0.5
    return placed.astype(np.float32)


def _depth_at(depth: Field, grid: Grid, x: float, y: float) -> float:
    row = int(np.clip(np.searchsorted(grid.y[:, 0], y), 0, grid.shape[0] - 1))
    column = int(np.clip(np.searchsorted(grid.x[0], x), 0, grid.shape[1] - 1))
    return float(depth[row, column])
