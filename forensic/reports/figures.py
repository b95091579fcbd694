"""The plots of a benchmark's record, each drawn from the figures that stand in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from forensic.reports.plots import draw_cmc, draw_det, draw_ece, draw_growth, draw_tippett
from forensic.reports.record import BenchmarkReport
from forensic.reports.sections import CurveRecord, LikelihoodMethod


@dataclass(frozen=True)
class Plot:
    """A figure under the name of its file.

    Attributes:
        file: Name without suffix.
        section: The part of the report that it belongs to.
        says: What it shows, for those who cannot see it.
        figure: To be written.
    """

    file: str
    section: str
    says: str
    figure: Figure


def draw_all(report: BenchmarkReport) -> list[Plot]:
    """Return every plot of a report, the match curve first."""
    names = ", ".join(report.methods)
    curves = {name: method.cmc for name, method in report.methods.items()}
    figure = draw_cmc(curves, probes=report.probes, gallery=report.gallery)
    says = f"Cumulative match curves of {names}; the figures are in the table above."
    plots = [Plot("cmc", "cmc", says, figure)]
    if report.growth:
        plots.append(_growth(report, names))
    if report.open_set:
        det = {
            name: (np.array(method.det.fpir), np.array(method.det.fnir))
            for name, method in report.open_set.methods.items()
        }
        says = f"Misses over false alarms of {names}; the figures are in the table."
        plots.append(Plot("det", "open_set", says, draw_det(det)))
    if report.likelihood:
        for name, method in report.likelihood.methods.items():
            plots += _likelihood(name, method)
    return plots


def _growth(report: BenchmarkReport, names: str) -> Plot:
    assert report.growth  # noqa: S101 - asked only where it is there
    points = report.growth.methods
    sizes = [point.gallery for point in next(iter(points.values()))]
    rates = {name: [point.rank1 for point in own] for name, own in points.items()}
    figure = draw_growth(rates, sizes, probes=report.growth.trials)
    says = f"Rank-1 rate over gallery size of {names}; the figures are in growth.csv."
    return Plot("growth", "growth", says, figure)


def _likelihood(name: str, method: LikelihoodMethod) -> list[Plot]:
    sides = (_arrays(method.tippett_mated), _arrays(method.tippett_nonmated))
    grid = _arrays(method.ece["own"])[0]
    bits = [_arrays(method.ece[kind])[1] for kind in ("own", "best", "silent")]
    figures = {
        "tippett": (draw_tippett(*sides), "Tippett plot"),
        "ece": (draw_ece(grid, *bits), "Empirical cross-entropy"),
    }
    plots = []
    for kind, (figure, title) in figures.items():
        figure.axes[0].set_title(f"{title} of {name}, logistic calibration", fontsize=10)
        says = f"{title} of {name}; the costs are in the table."
        plots.append(Plot(f"{kind}-{name}", "likelihood", says, figure))
    return plots


def _arrays(curve: CurveRecord) -> tuple[np.ndarray, np.ndarray]:
    return np.array(curve.x), np.array(curve.y)
