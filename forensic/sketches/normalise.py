"""Bringing scans and photographs of a drawing to dark lines on evenly white paper.

File modes (one bit, palette, transparency, sixteen bits) are dealt with where files are decoded.
Here are the faults of the picture itself: white on black, paper shadow, and nothing drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from forensic.check import check_rgb
from forensic.errors import ImageError
from forensic.images.color import LUMA
from forensic.values import RGB

DARK = 85
"""Gray level below which a border and a picture's median mean white lines on black."""

LEAST_CONTRAST = 24
"""Gray levels between the 0.5 and 99.5 percentiles below which nothing is drawn."""

SHADOW = 40
"""Gray levels by which paper may vary along the border before it counts as shadowed."""

PAPER_LEAST, PAPER_LEVEL = 0.6, 0.8
"""Share of a picture that must be nearly as bright as the paper around it, and how nearly, before
paper is evened: what is dark all over is a shaded portrait or a photo, and its light belongs to it.
"""

SEEN = 0.6
"""Share of the height, from the top, whose border shows paper; below it clothes may be drawn."""

WHITE = 245.0
"""Gray level that the paper is brought to."""

GRID_PX = 24
"""Side to which a picture is reduced to see its paper."""


@dataclass(frozen=True)
class NormalisedSketch:
    """A drawing and what was done to it.

    Attributes:
        image: (H, W, 3) uint8.
        steps: `inverted`, `evened`, or nothing; travels with every result made from it.
    """

    image: RGB
    steps: tuple[str, ...]


def normalise_sketch(image: RGB, *, name: str = "sketch") -> NormalisedSketch:
    """Return a drawing as dark lines on evenly lit paper.

    A drawing that is so already comes back untouched. White on black is inverted when both the
    border and the picture's median are dark. Paper that is shaded along the border by more than 40
    gray levels is divided by its own smooth brightness, where most of the picture is paper.

    Args:
        image: (H, W, 3) uint8.
        name: What to call the drawing in messages.

    Raises:
        ImageError: Nothing is drawn; `reason` is `blank`.
        ShapeError: The image is not (H, W, 3).
        DtypeError: The image is not uint8.
    """
    check_rgb(image)
    gray = image.astype(np.float32) @ LUMA
    low, high = np.percentile(gray, (0.5, 99.5))
    if high - low < LEAST_CONTRAST:
        raise ImageError(
            f"{name} shows nothing: its gray levels span {high - low:.0f} of 255. Scan it with "
            "more contrast.",
            reason="blank",
        )
    steps = []
    if np.median(gray) < DARK and np.median(_border(gray)) < DARK:
        image, gray = 255 - image, 255 - gray
        steps.append("inverted")
    paper = _paper(gray)
    if _is_shadowed(paper) and np.mean(gray > PAPER_LEVEL * paper) > PAPER_LEAST:
        factor = WHITE / np.maximum(paper, 1)
        even = np.clip(image * factor[:, :, None], 0, 255)
        image = np.asarray(even.round(), dtype=np.uint8)
        steps.append("evened")
    return NormalisedSketch(image, tuple(steps))


def _is_shadowed(paper: NDArray[np.float32]) -> bool:
    """Answer whether the paper's brightness varies along the border, as far as that shows paper."""
    seen = paper[: int(SEEN * len(paper))]
    return bool(np.ptp(np.percentile(_border(seen), (2, 98))) > SHADOW)


def _border(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the pixels of a frame of a twentieth of the picture."""
    rows, columns = (max(1, n // 20) for n in gray.shape)
    inner = np.zeros(gray.shape, dtype=bool)
    inner[rows:-rows, columns:-columns] = True
    return np.asarray(gray[~inner])


def _paper(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the paper's brightness: the brightest level around each place, smoothed."""
    height, width = gray.shape
    picture = Image.fromarray(np.asarray(gray.clip(0, 255), dtype=np.uint8))
    cell = max(1, min(height, width) // GRID_PX)
    size = max(1, width // cell), max(1, height // cell)
    small = picture.resize(size, Image.Resampling.BOX)
    wide = small.filter(ImageFilter.MaxFilter(7)).filter(ImageFilter.GaussianBlur(2))
    return np.asarray(wide.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
