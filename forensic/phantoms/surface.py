"""The paintable surface of a head: relief, colour, gloss and cover on one grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensic.phantoms.fields import Field, Grid, Window

Color = tuple[float, float, float]

FULL: Window = (slice(None), slice(None))
"""The window of everything."""


@dataclass
class Surface:
    """Layers that the painters add to, all on `grid`.

    Attributes:
        grid: Points in the head's frame.
        depth: (H, W) mm towards the viewer.
        albedo: (H, W, 3) linear RGB reflectance.
        gloss: (H, W) strength of the mirror-like part of the reflection.
        cover: (H, W) 1 where there is a head, 0 outside, fractions at its edge.
        sparkle: (H, W) light added after shading, for the glints in the eyes.
    """

    grid: Grid
    depth: Field
    albedo: NDArray[np.float32]
    gloss: Field
    cover: Field
    sparkle: Field

    def view(self, window: Window) -> Surface:
        """Return the part inside `window`; painting on it paints on this surface."""
        return Surface(
            self.grid.cut(window), self.depth[window], self.albedo[window],
            self.gloss[window], self.cover[window], self.sparkle[window],
        )  # fmt: skip

    def paint(self, color: Color | Field, amount: Field, window: Window) -> None:
        """Mix `color` into the albedo of a window with weights `amount` in [0, 1]."""
        part = self.albedo[window]
        part += (np.asarray(color, np.float32) - part) * amount[..., None]

    def stain(self, factor: Color, amount: Field, window: Window) -> None:
        """Multiply the albedo of a window by `factor` with weights `amount` in [0, 1]."""
        part = self.albedo[window]
        part *= 1 + (np.asarray(factor, np.float32) - 1) * amount[..., None]


def create_surface(grid: Grid, depth: Field, cover: Field) -> Surface:
    """Return a black, matt surface of the given relief."""
    flat = np.zeros(grid.shape, np.float32)
    return Surface(grid, depth, np.zeros((*grid.shape, 3), np.float32), flat.copy(), cover, flat)
