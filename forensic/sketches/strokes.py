"""Thin lines as polylines, their deformation, and their drawing.

Source:
    Li et al., DeepFacePencil, ACM MM 2020, section 3.1: control and end points of vectorised
    strokes move by random offsets. As in its released code each coordinate moves with probability
    one half, at 512 pixels. In place of AutoTrace's curves stand polylines, whose corners lie no
    further than a tolerance from the traced pixels: between corners the displacement is then a
    weighted mean of two, and so nowhere larger than the largest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from forensic.check import check_range, check_shape
from forensic.sketches.edges import Mask

Points = NDArray[np.float64]
"""A polyline (n, 2), x before y, in pixels; one point is a dot."""

Pixel = tuple[int, int]
Links = dict[Pixel, list[Pixel]]

TOLERANCE_PX = 2.0
MAX_OFFSET_PX = 11.0
"""The paper's d, for pictures of 512 pixels."""

SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
DIAGONALS = ((1, 1), (1, -1), (-1, -1), (-1, 1))


def trace_strokes(lines: Mask, *, tolerance_px: float = TOLERANCE_PX) -> list[Points]:
    """Return one-pixel lines as polylines that begin and end at line ends and crossings.

    Args:
        lines: (H, W) bool, true on a line.
        tolerance_px: How far a traced pixel may lie from its polyline; 0 keeps every bend, so that
            `draw_strokes` gives the same pixels again.

    Raises:
        ShapeError: The lines are not (H, W).
        RangeError: The tolerance is negative.
    """
    check_shape(lines, (None, None), name="lines")
    check_range(tolerance_px, 0, np.inf, name="tolerance_px")
    links = _link(lines)
    chains = [[pixel] for pixel, near in links.items() if not near]
    done: set[tuple[Pixel, Pixel]] = set()
    ends = [pixel for pixel, near in links.items() if near and len(near) != 2]
    for start in [*ends, *links]:  # what the ends leave over is closed
        chains.extend(
            _follow(links, start, second, done)
            for second in links[start]
            if (start, second) not in done
        )
    return [_simplify(np.array(chain, dtype=float)[:, ::-1], tolerance_px) for chain in chains]


def _link(lines: Mask) -> Links:
    """Return the neighbours of every pixel; a diagonal counts where no corner joins it already."""
    pixels = {(int(y), int(x)) for y, x in np.argwhere(lines)}
    links: Links = {}
    for y, x in sorted(pixels):
        near = [(y + dy, x + dx) for dy, dx in SIDES if (y + dy, x + dx) in pixels]
        near += [
            (y + dy, x + dx)
            for dy, dx in DIAGONALS
            if (y + dy, x + dx) in pixels and not {(y + dy, x), (y, x + dx)} & pixels
        ]
        links[y, x] = near
    return links


def _follow(
    links: Links, start: Pixel, second: Pixel, done: set[tuple[Pixel, Pixel]]
) -> list[Pixel]:
    """Return the chain that begins with two pixels, up to an end, a crossing or its own start."""
    chain = [start, second]
    done |= {(start, second), (second, start)}
    while len(links[chain[-1]]) == 2 and chain[-1] != start:
        here, before = chain[-1], chain[-2]
        first, other = links[here]
        ahead = other if first == before else first
        done |= {(here, ahead), (ahead, here)}
        chain.append(ahead)
    return chain


def _simplify(points: Points, tolerance_px: float) -> Points:
    """Return the corners of a chain: Ramer, Douglas and Peucker, without recursion.

    A closed chain is cut at the point that is farthest from its start.
    """
    kept = {0, len(points) - 1}
    todo = [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        apart = _distances(points[first + 1 : last], points[first], points[last])
        worst = int(apart.argmax())
        if apart[worst] > tolerance_px + 1e-9:
            middle = first + 1 + worst
            kept.add(middle)
            todo += [(first, middle), (middle, last)]
    return points[sorted(kept)]


def _distances(points: Points, start: Points, end: Points) -> NDArray[np.float64]:
    """Return how far points lie from the segment between two others."""
    along = end - start
    length = float(along @ along)
    share = np.clip((points - start) @ along / length, 0, 1) if length else np.zeros(len(points))
    apart: NDArray[np.float64] = np.hypot(*(points - start - share[:, None] * along).T)
    return apart


def deform_strokes(
    strokes: list[Points],
    *,
    max_offset_px: float = MAX_OFFSET_PX,
    probability: float = 0.5,
    draw: np.random.Generator,
) -> list[Points]:
    """Return strokes whose coordinates moved, each by itself, by up to `max_offset_px`.

    Args:
        strokes: As `trace_strokes` returns them.
        max_offset_px: d; the offsets are uniform in [-d, d].
        probability: Of a coordinate to move at all.
        draw: Where chance comes from.

    Raises:
        RangeError: The offset is negative, or the probability is none.
    """
    check_range(max_offset_px, 0, np.inf, name="max_offset_px")
    check_range(probability, 0, 1, name="probability")
    moved = []
    for stroke in strokes:
        offsets = draw.uniform(-max_offset_px, max_offset_px, stroke.shape)
        moved.append(stroke + np.where(draw.random(stroke.shape) < probability, offsets, 0.0))
    return moved


def draw_strokes(strokes: list[Points], size_hw: tuple[int, int]) -> Mask:
    """Return (H, W) bool, true on strokes one pixel wide; what leaves the picture is cut off."""
    picture = Image.new("1", (size_hw[1], size_hw[0]))
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        corners = [(int(x), int(y)) for x, y in np.rint(stroke)]
        if len(corners) == 1:
            pen.point(corners, fill=1)
        else:
            pen.line(corners, fill=1)
    return np.array(picture, dtype=bool)
