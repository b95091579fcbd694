"""The benchmark's page: what was tested on whom, the rates, what follows from them, the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensic.files import atomic_write
from forensic.reports import origin
from forensic.reports.benchmark_pdf import write_pdf
from forensic.reports.cases import CasePictures
from forensic.reports.conclusions import (
    KINDS,
    best_method,
    gallery_text,
    may_be_concluded,
    may_not_be_concluded,
    methods_text,
    probes_text,
    wanted,
)
from forensic.reports.figures import Plot, draw_all
from forensic.reports.html import data_uri, picture_uri, render_page
from forensic.reports.plots import write_figure
from forensic.reports.record import BenchmarkReport
from forensic.reports.tables import write_tables


def write_pages(report: BenchmarkReport, cases: Sequence[CasePictures], folder: Path) -> None:
    """Write page, PDF, the plots as PNG and SVG, and the tables as CSV into a folder.

    Args:
        report: The figures.
        cases: Pictures to show; empty shows no picture of a person.
        folder: An existing folder.

    Raises:
        OSError: The folder cannot be written.
    """
    plots = draw_all(report)
    for plot in plots:
        for suffix in (".png", ".svg"):
            write_figure(plot.figure, folder / (plot.file + suffix))
    write_tables(report, folder)
    page = render_page(
        "benchmark.html.j2",
        report=report,
        kind=KINDS[report.sketch_kind],
        best=best_method(report),
        methods=methods_text(report),
        origin=origin,
        has_published=any(m.published for m in report.methods.values()),
        probes=probes_text(report),
        wanted=wanted(report),
        gallery=gallery_text(report),
        may=may_be_concluded(report),
        may_not=may_not_be_concluded(report),
        plots=[_plot(plot, folder) for plot in plots],
        cases=[_case(case) for case in cases],
    )
    with atomic_write(folder / "report.html", "w") as file:
        file.write(page)
    drawn = [(plot.section, folder / f"{plot.file}.png") for plot in plots]
    write_pdf(report, cases, drawn, folder / "report.pdf")


def _plot(plot: Plot, folder: Path) -> dict[str, str]:
    png = (folder / f"{plot.file}.png").read_bytes()
    return {"section": plot.section, "says": plot.says, "uri": data_uri(png, "image/png")}


def _case(case: CasePictures) -> dict[str, str | int]:
    made = case.machine_made
    return {
        "probe_id": case.probe_id,
        "method": case.method,
        "rank": case.rank,
        "sketch": picture_uri(case.sketch),
        "machine_made": picture_uri(made) if made is not None else "",
        "mate": picture_uri(case.mate),
        "first": picture_uri(case.first) if case.first is not None else "",
    }
