"""The table of sketch styles; a result always carries the name of the one that made it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forensic.registry import Registry
from forensic.sketches.edges import CannyStyle, ContourStyle, SimplifiedEdgesStyle
from forensic.sketches.line import LineStyle
from forensic.sketches.pencil import PencilStyle, StylizationStyle
from forensic.sketches.photocopy import PhotocopyStyle
from forensic.sketches.xdog import XDoGStyle
from forensic.values import RGB


class SketchStyle(Protocol):
    """A deterministic operator from a photo to a drawing-like picture."""

    @property
    def channels(self) -> int:
        """Number of channels of the result, 1 or 3."""

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, channels) uint8."""


SKETCH_STYLES: Registry[SketchStyle] = Registry(
    "sketch style",
    {
        "line": LineStyle(),
        "pencil-gray": PencilStyle(channels=1),
        "pencil-color": PencilStyle(channels=3),
        "stylization-gray": StylizationStyle(channels=1),
        "stylization-color": StylizationStyle(channels=3),
        "xdog": XDoGStyle(),
        "photocopy": PhotocopyStyle(),
        "simplified-edges": SimplifiedEdgesStyle(),
        "contour": ContourStyle(),
        "canny": CannyStyle(),
    },
)
"""Styles by name. Line is one operator; gray and colour come in two readings of the paper. XDoG to
contour are the four free-hand styles of Cali-Sketch, and Canny the edges it never draws from."""

FREE_HAND = ("xdog", "photocopy", "simplified-edges", "contour")
"""The styles that Cali-Sketch is trained on."""
