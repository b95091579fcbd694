from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from forensic.reports.plots import (
    COLORS,
    draw_cmc,
    draw_det,
    draw_ece,
    draw_growth,
    draw_tippett,
    write_figure,
)
from forensic.stats.binomial import wilson

CURVES = {"none": [0.2, 0.5, 0.6], "csi-line": [0.7, 0.9, 1.0]}


def test_curves_bands_and_chance_are_drawn_in_percent() -> None:
    axes = draw_cmc(CURVES, probes=50, gallery=300).axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines) == ["none", "csi-line", "chance"]
    assert lines["none"].get_ydata().tolist() == pytest.approx([20, 50, 60])
    assert lines["chance"].get_ydata().tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    band = axes.collections[0].get_paths()[0].vertices
    low, high = wilson(CURVES["none"], 50)
    assert band[:, 1].min() == pytest.approx(100 * low[0])
    assert band[:, 1].max() == pytest.approx(100 * high[2])
    assert "50 probes, 300 photos" in axes.get_title()


def test_methods_differ_in_more_than_color() -> None:
    lines = draw_cmc(CURVES, probes=50, gallery=300).axes[0].get_lines()[:2]
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert lines[0].get_marker() != lines[1].get_marker()
    assert len(set(COLORS)) == len(COLORS)


def test_many_methods_still_get_a_look() -> None:
    curves = {str(i): [0.5, 0.6] for i in range(12)}
    assert len(draw_cmc(curves, probes=10, gallery=10).axes[0].get_lines()) == 13


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_same_figure_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        write_figure(draw_cmc(CURVES, probes=50, gallery=300), tmp_path / (name + suffix))
    first, second = ((tmp_path / (name + suffix)).read_bytes() for name in ("a", "b"))
    assert first == second
    if suffix == ".png":
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.width >= 1200


def test_det_leaves_out_what_a_logarithm_cannot_show() -> None:
    fpir, fnir = np.array([1.0, 0.5, 0.1, 0.0]), np.array([0.0, 0.2, 0.3, 1.0])
    (line,) = draw_det({"none": (fpir, fnir)}).axes[0].get_lines()
    assert line.get_xdata().tolist() == [50, 10]
    assert line.get_ydata().tolist() == [20, 30]


def test_growth_carries_sizes_rates_and_bands() -> None:
    axes = draw_growth({"none": [0.8, 0.5]}, [40, 1000], probes=40).axes[0]
    (line,) = axes.get_lines()
    assert line.get_xdata().tolist() == [40, 1000]
    assert line.get_ydata().tolist() == [80, 50]
    band = axes.collections[0].get_paths()[0].vertices
    low, high = wilson([0.8, 0.5], 40)
    assert band[:, 1].min() == pytest.approx(100 * low[1])
    assert band[:, 1].max() == pytest.approx(100 * high[0])


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((100, 14_106), ["100", "1,000", "14,106"]),
        ((40, 60), ["40", "60"]),
        ((143, 100_000), ["143", "1,000", "10,000", "100,000"]),
    ],
)
def test_growth_names_both_ends_and_the_powers_of_ten_that_fit(
    ends: tuple[int, int], ticks: list[str]
) -> None:
    axes = draw_growth({"none": [0.8, 0.5]}, ends, probes=40).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ticks


def test_tippett_and_ece_carry_their_points() -> None:
    mated = (np.array([0.0, 2.0]), np.array([1.0, 0.5]))
    nonmated = (np.array([-3.0, -1.0]), np.array([1.0, 0.5]))
    lines = draw_tippett(mated, nonmated).axes[0].get_lines()
    assert lines[0].get_ydata().tolist() == [100, 50]
    grid = np.linspace(-1, 1, 3)
    drawn = draw_ece(grid, grid**2, grid**2 / 2, np.ones(3)).axes[0].get_lines()
    assert [line.get_label() for line in drawn] == ["these LRs", "after PAV", "LR = 1 always"]
