"""Curves of a benchmark as SVG, drawn here: the web process loads no plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 42
RATES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class RatePoint:
    """How often the right person was within the first `rank` of the list.

    Attributes:
        rank: 1 or more.
        rate: Share of the probes, 0 to 1.
        low: Lower end of its interval.
        high: Upper end.
        chance: The rate of a list in random order.
    """

    rank: int
    rate: float
    low: float
    high: float
    chance: float


def draw_ranks(points: Sequence[RatePoint], *, title: str) -> Markup:
    """Return the curve of rates over ranks, on a logarithmic axis, with its band and chance.

    Args:
        points: In the order of rank; at least one.
        title: What a screen reader says of it.
    """
    last = max(2, points[-1].rank)

    def x_of(rank: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(rank) / math.log(last)

    def line(values: Sequence[float]) -> str:
        pairs = zip(points, values, strict=True)
        return " ".join(f"{x_of(p.rank):.1f},{_y_of(value):.1f}" for p, value in pairs)

    upper = line([point.high for point in points])
    lower = " ".join(reversed(line([point.low for point in points]).split()))
    ticks = [rank for rank in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if rank <= last]
    parts = [
        *(_rate_line(rate) for rate in RATES),
        *(_rank_label(rank, x_of(rank)) for rank in ticks),
        f'<polygon class="band" points="{upper} {lower}"/>',
        f'<polyline class="chance" points="{line([point.chance for point in points])}"/>',
        f'<polyline class="curve" points="{line([point.rate for point in points])}"/>',
    ]
    head = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, HEIGHT, title
    )
    return head + Markup("".join(parts)) + Markup("</svg>")  # noqa: S704 - numbers only


def _y_of(rate: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate)


def _rate_line(rate: float) -> str:
    y = _y_of(rate)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{rate:.0%}</text>'
    )


def _rank_label(rank: int, x: float) -> str:
    y = HEIGHT - BOTTOM + 18
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{rank}</text>'
