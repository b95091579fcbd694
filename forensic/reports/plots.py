"""One figure per function: colour-blind-safe, told apart by line style too, legible in print.

Figures are made without pyplot, so that nothing global is touched and no display is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from forensic.files import atomic_write
from forensic.stats.binomial import wilson

Floats = NDArray[np.float64]

# Okabe and Ito's palette, its yellow left out because it vanishes on white paper.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
RC = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "svg.hashsalt": "forensic",  # element names, and so the bytes, do not change between runs
    "svg.fonttype": "path",
}


def draw_cmc(curves: Mapping[str, Sequence[float]], *, probes: int, gallery: int) -> Figure:
    """Return cumulative match curves with Wilson bands, over a logarithmic rank axis.

    Args:
        curves: Match score at rank 1, 2, ... of each method, 0 to 1.
        probes: Number of probes behind every curve.
        gallery: Number of photos searched, for chance.
    """
    figure, axes = _axes()
    longest = max(len(curve) for curve in curves.values())
    for (name, curve), look in zip(curves.items(), _looks(), strict=False):
        ranks = np.arange(1, len(curve) + 1)
        low, high = wilson(curve, probes)
        axes.fill_between(ranks, 100 * low, 100 * high, color=look["color"], alpha=0.15, lw=0)
        shown = [i for i in (0, 4, 9, 49) if i < len(curve)]
        axes.plot(ranks, 100 * np.array(curve), label=name, markevery=shown, **look)
    ranks = np.arange(1, longest + 1)
    chance = 100 * np.minimum(1, ranks / gallery)
    axes.plot(ranks, chance, color="#777777", lw=1, ls=(0, (1, 2)), label="chance")
    axes.set_xscale("log")
    ticks = [r for r in (1, 2, 5, 10, 20, 50, 100) if r <= longest]
    axes.set_xticks(ticks, [str(r) for r in ticks])
    axes.minorticks_off()
    axes.set(
        xlim=(0.95, max(2, longest)), ylim=(0, 101), xlabel="Rank", ylabel="Mate found, % of probes"
    )
    axes.set_title(f"{probes:,} probes, {gallery:,} photos; bands: Wilson 95 %", fontsize=10)
    axes.legend(loc="lower right" if _ends_high(curves) else "upper left", frameon=False)
    return figure


def draw_det(curves: Mapping[str, tuple[Floats, Floats]]) -> Figure:
    """Return detection error trade-off curves on logarithmic axes.

    Args:
        curves: FPIR and FNIR of each method, as from `det_curve`. Rates of 0 cannot be drawn
            on these axes and end the line.
    """
    figure, axes = _axes()
    for (name, (fpir, fnir)), look in zip(curves.items(), _looks(), strict=False):
        seen = (fpir > 0) & (fnir > 0)
        axes.plot(
            100 * fpir[seen], 100 * fnir[seen], drawstyle="steps-post", label=name,
            **{**look, "marker": ""},
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="False positive identification rate, %")
    axes.set_ylabel("False negative identification rate, %")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(frameon=False)
    return figure


def draw_tippett(mated: tuple[Floats, Floats], nonmated: tuple[Floats, Floats]) -> Figure:
    """Return a Tippett plot: share of pairs with at least a given likelihood ratio.

    Args:
        mated: Sorted log10 LRs and shares, as from `tippett_points`.
        nonmated: The same for non-mated pairs.
    """
    figure, axes = _axes()
    pairs = (("same person", mated), ("different people", nonmated))
    for (name, (values, share)), look in zip(pairs, _looks(), strict=False):
        axes.step(values, 100 * share, where="pre", label=name, **{**look, "marker": ""})
    axes.axvline(0, color="#777777", lw=1)
    axes.set(
        xlabel="log10 likelihood ratio", ylabel="Pairs with at least this LR, %", ylim=(0, 101)
    )
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def draw_ece(log10_prior_odds: Floats, own: Floats, best: Floats, silent: Floats) -> Figure:
    """Return empirical cross-entropy over prior odds, as from `ece_points`."""
    figure, axes = _axes()
    named = (("these LRs", own), ("after PAV", best), ("LR = 1 always", silent))
    for (name, bits), look in zip(named, _looks(), strict=False):
        axes.plot(log10_prior_odds, bits, label=name, **{**look, "marker": ""})
    axes.set(xlabel="log10 prior odds", ylabel="Empirical cross-entropy, bits")
    axes.set_ylim(0, max(1.05, min(2.0, float(np.max(own)) * 1.05)))
    axes.legend(frameon=False)
    return figure


def draw_growth(
    curves: Mapping[str, Sequence[float]], sizes: Sequence[int], *, probes: int
) -> Figure:
    """Return rank-1 rates with Wilson bands over a logarithmic gallery size.

    Args:
        curves: Rate of each method for every size, 0 to 1.
        sizes: Photos in the gallery, rising.
        probes: Number of probes behind every rate.
    """
    figure, axes = _axes()
    for (name, rates), look in zip(curves.items(), _looks(), strict=False):
        low, high = wilson(rates, probes)
        axes.fill_between(sizes, 100 * low, 100 * high, color=look["color"], alpha=0.15, lw=0)
        axes.plot(sizes, 100 * np.array(rates), label=name, **look)
    axes.set_xscale("log")
    ticks = _size_ticks(sizes[0], sizes[-1])
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
    axes.xaxis.set_minor_formatter("")
    axes.set(ylim=(0, 101), xlabel="Photos in the gallery", ylabel="Mate at rank 1, % of probes")
    axes.set_title(f"{probes:,} probes; bands: Wilson 95 %", fontsize=10)
    axes.legend(frameon=False)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure atomically as PNG at 200 dpi or as SVG, by suffix, without a date in it.

    Raises:
        OSError: The folder cannot be written.
    """
    metadata = {"Software": None} if path.suffix == ".png" else {"Date": None, "Creator": None}
    with atomic_write(path) as file, mpl.rc_context(RC):
        figure.savefig(file, format=path.suffix[1:], dpi=200, metadata=metadata)


def _axes() -> tuple[Figure, Any]:
    with mpl.rc_context(RC):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots()


def _size_ticks(least: int, most: int) -> list[int]:
    """Return both ends and the powers of ten between them whose labels do not touch theirs."""
    powers = [10**power for power in range(1, len(str(most)))]
    return [least, *[p for p in powers if 1.5 * least <= p <= most / 2.2], most]


def _looks() -> Any:
    for color, style, marker in zip(cycle(COLORS), cycle(STYLES), cycle(MARKERS), strict=False):
        yield {"color": color, "ls": style, "marker": marker, "ms": 5, "lw": 1.8}


def _ends_high(curves: Mapping[str, Sequence[float]]) -> bool:
    """Return whether the lower right corner is free for a legend."""
    return min(curve[-1] for curve in curves.values()) > 0.55
