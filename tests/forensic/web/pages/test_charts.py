from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from forensic.web.pages.charts import HEIGHT, LEFT, RIGHT, TOP, WIDTH, RatePoint, draw_ranks

POINTS = [
    RatePoint(1, 0.0, 0.0, 0.3, 0.01),
    RatePoint(10, 0.5, 0.2, 0.8, 0.1),
    RatePoint(100, 1.0, 0.7, 1.0, 1.0),
]


def coordinates(svg: str, kind: str) -> list[tuple[float, float]]:
    found = re.search(rf'class="{kind}" points="([^"]+)"', svg)
    assert found
    return [tuple(map(float, pair.split(","))) for pair in found[1].split()]


def test_the_curve_fills_the_plot_on_a_logarithmic_axis() -> None:
    svg = draw_ranks(POINTS, title="rates")
    (x1, y1), (x10, y10), (x100, y100) = coordinates(svg, "curve")
    assert (x1, x100) == (LEFT, WIDTH - RIGHT)
    assert abs(x10 - (x1 + x100) / 2) < 0.1
    assert y100 == TOP
    assert y1 > y10 > y100
    assert y1 < HEIGHT


def test_the_band_runs_along_the_upper_end_and_back_along_the_lower() -> None:
    band = coordinates(draw_ranks(POINTS, title="rates"), "band")
    assert [x for x, _ in band] == sorted([x for x, _ in band[:3]]) + sorted(
        [x for x, _ in band[3:]], reverse=True
    )
    assert band[0][1] < band[-1][1]


def test_a_title_cannot_break_out_of_the_picture() -> None:
    svg = draw_ranks(POINTS[:1], title='"><script>alert(1)</script>')
    assert ET.fromstring(svg).attrib["aria-label"].startswith('"><script>')
