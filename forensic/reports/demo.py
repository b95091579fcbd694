"""The page and the printed table of `forensic demo`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from forensic.identification.identifier import RankList
from forensic.reports.html import picture_uri, render_page
from forensic.reports.record import BenchmarkReport, MethodRecord
from forensic.reports.tables import interval, p_value, percent
from forensic.stats.multiplicity import holm
from forensic.values import LEAD_ONLY, RGB

ABOUT = (
    "Every person here is a phantom: rendered by a program, existing nowhere. The figures show "
    "that the system runs from end to end. They say nothing about how often real people are found."
)
RANKS = ("1", "5", "10", "50")


@dataclass(frozen=True)
class Case:
    """One search, shown.

    Attributes:
        person: Identifier of the phantom who was sketched.
        seen: The picture that the sketch was made from; it is not in the gallery.
        sketch: The probe.
        ranked: The list, with the machine-made face.
        photos: The gallery pictures of its candidates, in order.
        rank: Of the person in the whole gallery; None where the search could only miss.
    """

    person: str
    seen: RGB
    sketch: RGB
    ranked: RankList
    photos: Sequence[RGB]
    rank: int | None


@dataclass(frozen=True)
class Experiment:
    """All searches with sketches of one style.

    Attributes:
        sketch_style: Name of the style, or of what took the place of sketches.
        report: The figures, by method.
        cases: Some of the searches, for showing.
    """

    sketch_style: str
    report: BenchmarkReport
    cases: Sequence[Case]


def summary_text(experiments: Sequence[Experiment]) -> str:
    """Return the match scores of all experiments as a plain text table."""
    table = Table(title="Cumulative match scores, 95 % interval, p against chance")
    for heading in ("sketch", "method", "probes", "gallery"):
        table.add_column(heading)
    for rank in RANKS:
        table.add_column(f"CMS {rank}", justify="right")
    for e in experiments:
        for name, record in e.report.methods.items():
            cells = [_cell(record, rank) for rank in RANKS]
            sizes = str(e.report.probes), str(e.report.gallery)
            table.add_row(e.sketch_style, name, *sizes, *cells)
        table.add_section()
    text = io.StringIO()
    Console(file=text, width=110).print(table)
    return text.getvalue()


def render_demo_page(experiments: Sequence[Experiment], *, command: str, seconds: float) -> str:
    """Return a self-contained HTML page; nothing in it is loaded from elsewhere.

    Args:
        experiments: What was searched, the reference first.
        command: What gives the same figures again.
        seconds: How long it took.
    """
    first = experiments[0].report
    return render_page(
        "demo.html",
        notice=LEAD_ONLY,
        about=ABOUT,
        ranks=RANKS,
        experiments=experiments,
        comparisons=_comparisons(experiments),
        shown=[
            {"style": e.sketch_style, "cases": [_pictures(case) for case in e.cases]}
            for e in experiments
            if e.cases
        ],
        embedder=first.embedder,
        provenance=first.provenance,
        command=command,
        seconds=round(seconds),
    )


def _comparisons(experiments: Sequence[Experiment]) -> list[dict[str, Any]]:
    """Return the comparisons of all experiments, Holm-corrected over all of them."""
    found = [(e.sketch_style, c) for e in experiments for c in e.report.comparisons]
    adjusted = holm([c.mcnemar_p for _, c in found])
    return [
        {"style": style, "record": record, "holm_p": float(p)}
        for (style, record), p in zip(found, adjusted, strict=True)
    ]


def _cell(record: MethodRecord, rank: str) -> str:
    rate, ends, p = record.cms[rank], record.cms_ci95[rank], record.cms_p_vs_chance[rank]
    return f"{percent(rate)}\n{interval(ends)}\np {p_value(p)}"


def _uri(image: RGB) -> str:
    return picture_uri(image, height_px=250)


def _pictures(case: Case) -> dict[str, Any]:
    face = case.ranked.machine_made
    pairs = zip(case.ranked.candidates, case.photos, strict=True)
    return {
        "person": case.person,
        "rank": case.rank,
        "seen": _uri(case.seen),
        "sketch": _uri(case.sketch),
        "machine_made": None if face is None else _uri(face.labelled()),
        "generator": None if face is None else face.provenance["generator"],
        "candidates": [
            {
                "rank": candidate.rank,
                "person": candidate.subject_id,
                "similarity": f"{candidate.similarity:.3f}",
                "picture": _uri(photo),
                "is_mate": candidate.subject_id == case.person,
            }
            for candidate, photo in pairs
        ],
    }
