"""The benchmark as a PDF for the file: the page's content, laid out for A4 paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    Spacer,
    Table,
    TableStyle,
)

from forensic.reports.cases import CasePictures
from forensic.reports.conclusions import (
    KINDS,
    NONE,
    best_method,
    gallery_text,
    may_be_concluded,
    may_not_be_concluded,
    probes_text,
    wanted,
)
from forensic.reports.origin import (
    duplicates_text,
    landmarks_text,
    mended_text,
    same_hand_text,
    seeds_text,
    stages_text,
)
from forensic.reports.pdf import (
    WIDTH,
    facts_table,
    figures_table,
    small_picture,
    text_block,
    write_document,
)
from forensic.reports.pdf_sections import (
    cohort_blocks,
    growth_blocks,
    likelihood_blocks,
    open_set_blocks,
    plot_blocks,
    published_blocks,
    quality_blocks,
)
from forensic.reports.record import BenchmarkReport
from forensic.reports.tables import count, interval, p_value, percent, points, ratio

MOST_FAILURES = 100


def write_pdf(
    report: BenchmarkReport,
    cases: Sequence[CasePictures],
    plots: Sequence[tuple[str, Path]],
    path: Path,
) -> None:
    """Write the report as PDF, atomically; the same report gives the same bytes.

    Args:
        report: The figures.
        cases: Pictures to show; empty shows no picture of a person.
        plots: Section and PNG file of every plot.
        path: The file to write.

    Raises:
        OSError: A plot cannot be read or the file not be written.
    """
    story = [
        *_front(report),
        *published_blocks(report),
        *plot_blocks("Match score by rank", "cmc", plots),
        *growth_blocks(report, plots),
        *quality_blocks(report),
        *open_set_blocks(report, plots),
        *cohort_blocks(report),
        *likelihood_blocks(report, plots),
        *_comparisons(report),
        *_cases(cases),
        *_failures(report),
        *_provenance(report),
    ]
    write_document(story, path, title=_title(report), notice=report.notice)


def _front(report: BenchmarkReport) -> list[Flowable]:
    """Return the first page: what was tested, the headline rates, what follows from them."""
    failed, embedder, record = len(report.failures), report.embedder, report.provenance
    return [
        text_block(_title(report), "title"),
        text_block(
            f"Sketches {KINDS[report.sketch_kind]}. {record['times']['started_at'][:10]}, "
            f"forensic {record['forensic']}, commit {record['commit'] or 'unknown'}.",
            "soft",
        ),
        text_block("What was tested", "heading"),
        facts_table(
            [
                *([("On whom", report.subject)] if report.subject else []),
                ("Probes", probes_text(report)),
                ("Gallery", gallery_text(report)),
                ("Embedder", f"{embedder.name}, {embedder.dimension} numbers a face"),
                (
                    "Failures to enrol",
                    f"{count(failed)} image{'s' * (failed != 1)}, listed below"
                    if failed
                    else "none",
                ),
            ]
        ),
        text_block(f"How often the right {wanted(report)} was found", "heading"),
        _scores(report),
        text_block(
            "With Clopper–Pearson 95 % intervals. Failures to enrol count as misses."
            + (f" {NONE}" if "none" in report.methods else ""),
            "soft",
        ),
        text_block("What may be concluded", "heading"),
        *[text_block(sentence, "bullet") for sentence in may_be_concluded(report)],
        text_block("What may not", "heading"),
        *[text_block(sentence, "bullet") for sentence in may_not_be_concluded(report)],
    ]


def _scores(report: BenchmarkReport) -> Table:
    ranks = sorted(report.methods[best_method(report)].cms, key=int)
    rows = [["Method", *[f"rank {rank}" for rank in ranks], "p vs chance", "Failed"]]
    for name, method in report.methods.items():
        cells = [f"{percent(method.cms[r])}\n{interval(method.cms_ci95[r])}" for r in ranks]
        rows.append([
            name, *cells, p_value(method.rank1.p_vs_chance), count(method.failures_to_enrol)
        ])  # fmt: skip
    return figures_table(rows, widths=[33 * mm, *[26 * mm] * len(ranks), 22 * mm, 15 * mm])


def _comparisons(report: BenchmarkReport) -> list[Flowable]:
    if not report.comparisons:
        return []
    rows = [["First", "Second", "Only first", "Only second", "Difference", "g", "p", "p, Holm"]]
    rows += [
        [c.a, c.b, count(c.only_a), count(c.only_b), points(c.rate_difference), ratio(c.cohens_g),
         p_value(c.mcnemar_p), p_value(c.holm_p)]
        for c in report.comparisons
    ]  # fmt: skip
    widths = [w * mm for w in (33, 33, 19, 24, 20, 11, 17, 17)]
    note = "McNemar's exact test on the same probes, at rank 1. Holm's correction runs over all."
    return [
        CondPageBreak(50 * mm),
        text_block("Methods compared", "heading"),
        text_block(note, "soft"),
        figures_table(rows, widths=widths, left=2),
    ]


def _cases(cases: Sequence[CasePictures]) -> list[Flowable]:
    if not cases:
        return []
    story: list[Flowable] = [
        CondPageBreak(70 * mm),
        text_block("Cases to look at", "heading"),
        text_block(
            f"The best and the worst ranks of {cases[0].method}. A candidate resembles the sketch; "
            "that is all.",
            "soft",
        ),
    ]
    for case in cases:
        pictures = [
            ("Sketch", case.sketch),
            ("Machine-made from the sketch; shows no one", case.machine_made),
            ("The person drawn", case.mate),
            ("First candidate: another person", case.first),
        ]
        shown = [(name, image) for name, image in pictures if image is not None]
        cells = [[small_picture(image), text_block(name, "caption")] for name, image in shown]
        strip = Table([cells], colWidths=[38 * mm] * len(cells), hAlign="LEFT")
        strip.setStyle(
            TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
        )
        title = text_block(f"{case.probe_id}: rank {count(case.rank)}", "strong")
        story.append(KeepTogether([title, strip, Spacer(0, 2 * mm)]))
    return story


def _failures(report: BenchmarkReport) -> list[Flowable]:
    if not report.failures:
        return [text_block("Failures to enrol", "heading"), text_block("None.", "body")]
    rows: list[list[Any]] = [["Role", "File", "Reason"]]
    rows += [
        [f.role, text_block(f.name, "cell"), text_block(f.reason, "cell")]
        for f in report.failures[:MOST_FAILURES]
    ]
    more = len(report.failures) - MOST_FAILURES
    rest = [text_block(f"{count(more)} more are in report.json.", "soft")] if more > 0 else []
    widths = [20 * mm, 60 * mm, WIDTH - 80 * mm]
    return [
        CondPageBreak(40 * mm),
        text_block("Failures to enrol", "heading"),
        figures_table(rows, widths=widths, left=3),
        *rest,
    ]


def _provenance(report: BenchmarkReport) -> list[Flowable]:
    record = report.provenance
    facts = [
        ("Command", " ".join(record["command"])),
        ("Program", f"forensic {record['forensic']}, commit {record['commit'] or 'unknown'}"),
        ("Machine", f"Python {record['python']}, {record['machine']}, device {record['device']}"),
        ("Libraries", ", ".join(f"{name} {v}" for name, v in record["libraries"].items())),
        ("Embedder’s weights", report.embedder.weights_sha256),
        *((f"Part of it: {name}", sha256) for name, sha256 in report.embedder.parts.items()),
        *[
            (f"{name} weights", sha256)
            for method in report.methods.values()
            for name, sha256 in method.weights_sha256.items()
        ],
        *[(f"Data: {role}", sha256) for role, sha256 in record["data_sha256"].items()],
        ("Faces found by", landmarks_text(report)),
        *([("Drawings mended first", mended_text(report))] if report.mended else []),
        *([("Same hand", same_hand_text(report.same_hand))] if report.same_hand else []),
        *([("Left out", duplicates_text(report))] if report.duplicates_left_out else []),
        ("Seeds", seeds_text(report)),
        ("Ties", "counted against the system"),
        ("Started, took", f"{record['times']['started_at']}, {record['times']['seconds']} s"),
        *([("Work by stage", stages)] if (stages := stages_text(report)) else []),
    ]
    return [CondPageBreak(60 * mm), text_block("Provenance", "heading"), facts_table(facts)]


def _title(report: BenchmarkReport) -> str:
    return (
        f"{count(report.probes)} sketches searched in a gallery of {count(report.gallery)} photos"
    )
