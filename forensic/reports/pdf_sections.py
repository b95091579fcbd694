"""Those parts of the benchmark's PDF that only some runs have, and its plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image as PillowImage
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Image, KeepTogether, Spacer

from forensic.reports.pdf import WIDTH, figures_table, text_block
from forensic.reports.record import BenchmarkReport
from forensic.reports.sections import CohortsRecord, MeanRecord
from forensic.reports.tables import (
    count,
    decimal,
    interval,
    p_value,
    percent,
    points,
    ratio,
    similarity,
)

PLOT_WIDTH = 150 * mm
GAP = 2 * mm


def plot_blocks(title: str, section: str, plots: Sequence[tuple[str, Path]]) -> list[Flowable]:
    """Return the plots of a section under a heading, or nothing where it has none.

    Raises:
        OSError: A plot cannot be read.
    """
    drawn = _drawn(section, plots)
    if not drawn:
        return []
    return [KeepTogether([text_block(title, "heading"), drawn[0]]), *drawn[1:]]


def published_blocks(report: BenchmarkReport) -> list[Flowable]:
    """Return our rates at rank 1 beside a paper's, with its intervals and the tests."""
    papers = {name: m.published for name, m in report.methods.items() if m.published}
    if not papers:
        return []
    rows = [["Method", "Ours", "Paper", "Difference", "p, two-sided"]]
    for name, paper in papers.items():
        method = report.methods[name]
        rows.append([
            name,
            f"{percent(method.cms['1'])}\n{interval(method.rank1.ci95)}",
            f"{percent(paper.cms1)}\n{interval(paper.ci95)}",
            points(method.cms["1"] - paper.cms1),
            p_value(paper.p_differs),
        ])  # fmt: skip
    trials = ", ".join(count(n) for n in sorted({paper.trials for paper in papers.values()}))
    note = (
        f"Paper: {'; '.join(dict.fromkeys(paper.source for paper in papers.values()))}. Its "
        f"intervals are for {trials} probes, as far as it says how many there were. The test is "
        "exact binomial, of ours against the paper's rate taken as fixed: its own error is ignored."
    )
    return [
        CondPageBreak(60 * mm),
        text_block("Rank 1 beside the paper's", "heading"),
        text_block(note, "soft"),
        figures_table(rows, widths=[w * mm for w in (54, 30, 30, 30, 30)]),
        Spacer(0, GAP),
    ]


def growth_blocks(report: BenchmarkReport, plots: Sequence[tuple[str, Path]]) -> list[Flowable]:
    """Return match scores against gallery size, drawn and as a table."""
    if not (part := report.growth):
        return []
    first = next(iter(part.methods.values()))
    rows = [["Photos", *[f"{name}\nrank 1 / 10" for name in part.methods]]]
    rows += [
        [
            count(point.gallery),
            *[
                " / ".join(f"{100 * own[row].found[r] / part.trials:.1f}" for r in ("1", "10"))
                for own in part.methods.values()
            ],
        ]
        for row, point in enumerate(first)
    ]
    wide = min(36 * mm, (WIDTH - 20 * mm) / len(part.methods))
    note = (
        "All mates, and ever more of the other photos in a random order (seed "
        f"{part.seed}), so that a larger gallery holds the smaller ones. In percent of "
        f"{count(part.trials)} probes; more ranks and intervals are in growth.csv."
    )
    return [
        *plot_blocks("Match score by gallery size", "growth", plots),
        KeepTogether(
            [
                text_block(note, "soft"),
                figures_table(rows, widths=[20 * mm, *[wide] * len(part.methods)]),
                Spacer(0, GAP),
            ]
        ),
    ]


def open_set_blocks(report: BenchmarkReport, plots: Sequence[tuple[str, Path]]) -> list[Flowable]:
    """Return what happens when the person may not be in the gallery."""
    if not (part := report.open_set):
        return []
    rows = [["Method", "FPIR wanted", "Threshold", "FNIR", "FPIR measured"]]
    rows += [
        [
            name,
            f"{percent(point.fpir_wanted)}" + ("" if point.resolved else "\ntoo few searches"),
            similarity(point.threshold),
            f"{percent(point.fnir)}\n{interval(point.fnir_ci95)}",
            f"{percent(point.fpir)}\n{interval(point.fpir_ci95)}",
        ]
        for name, method in part.methods.items()
        for point in method.points
    ]
    return [
        CondPageBreak(60 * mm),
        text_block("When the person may not be in the gallery", "heading"),
        text_block(
            f"{count(part.nonmated)} searches for people who are not enrolled "
            f"({count(part.nonmated_failures)} without a usable face, which raise no alarm). FPIR: "
            "share of them with any candidate at the threshold. FNIR: share of the "
            f"{count(report.probes)} searches for enrolled people without the right one among the "
            "candidates.",
            "soft",
        ),
        figures_table(rows, widths=[w * mm for w in (44, 32, 26, 36, 36)]),
        Spacer(0, GAP),
        text_block("A line ends where a rate reaches 0, which these axes cannot show.", "soft"),
        *_drawn("open_set", plots),
    ]


def quality_blocks(report: BenchmarkReport) -> list[Flowable]:
    """Return how near machine-made faces come to the photos."""
    if not (part := report.quality):
        return []
    rows = [["Method", "Faces", "People", "PSNR, dB", "SSIM", "R"]]
    rows += [
        [
            name,
            count(method.faces),
            count(method.people),
            _mean(method.psnr, 2),
            _mean(method.ssim, 4),
            _mean(method.r, 4),
        ]
        for name, method in part.methods.items()
    ]
    return [
        CondPageBreak(60 * mm),
        text_block("How near the machine-made faces come to the photos", "heading"),
        text_block(
            "Means over faces with the bootstrap's 95 % interval, which draws people, not "
            "pictures. Higher is nearer. A face near to the photo need not be one that is found: "
            "the match scores say that.",
            "soft",
        ),
        figures_table(rows, widths=[w * mm for w in (36, 18, 18, 34, 34, 34)]),
        Spacer(0, GAP),
    ]


def _mean(mean: MeanRecord | None, digits: int) -> str:
    if mean is None:
        return "–"
    low, high = (decimal(end, digits) for end in mean.ci95)
    text = f"{decimal(mean.mean, digits)}\n{low}–{high}"
    if paper := mean.published:
        text += f"\npaper {decimal(paper.mean, digits)}\n± {decimal(paper.standard_error, 4)}"
    return text


def cohort_blocks(report: BenchmarkReport) -> list[Flowable]:
    """Return rates by group of people, as labelled by the user."""
    if not report.cohorts:
        return []
    wanted = percent(report.cohorts[0].fpir_wanted)
    story: list[Flowable] = [
        CondPageBreak(60 * mm),
        text_block("Groups of people", "heading"),
        text_block(
            "Labels were given by the user; none was inferred. One threshold serves everybody: "
            f"that for an FPIR of at most {wanted}. Small groups have wide intervals; a difference "
            "inside them shows nothing.",
            "soft",
        ),
    ]
    return story + [KeepTogether(_cohorts(part)) for part in report.cohorts]


def likelihood_blocks(report: BenchmarkReport, plots: Sequence[tuple[str, Path]]) -> list[Flowable]:
    """Return likelihood ratios of pairs, with the warning against reading them off a list."""
    if not (part := report.likelihood):
        return []
    head = ["Method", "Fit", "Cllr", "Cllr-min", "Cllr-cal", "Bounds, log10"]
    rows = [[*head, "Misleading\none person", "Misleading\ntwo people"]]
    rows += [
        [
            name, kind, ratio(fit.cllr), ratio(fit.cllr_min), ratio(fit.cllr_cal),
            f"{ratio(fit.bounds[0])} to {ratio(fit.bounds[1])}",
            percent(fit.misleading_mated), percent(fit.misleading_nonmated),
        ]
        for name, method in part.methods.items()
        for kind, fit in (("logistic", method.logistic), ("PAV", method.pav))
    ]  # fmt: skip
    about = (
        f"Calibrated on {count(part.people)} people who are neither probes nor in the gallery, for "
        f"sketches of the kind ‘{part.sketch_kind}’ alone; judged on the probes and their photos. "
        "Cllr: 0 is perfect, 1 says nothing, above 1 misleads. Bounds: what a calibration set of "
        "this size can support (ELUB)."
    )
    return [
        CondPageBreak(70 * mm),
        text_block("Likelihood ratios of pairs", "heading"),
        text_block(f"Not for the first of a list. {part.warning}", "strong"),
        text_block(about, "soft"),
        figures_table(rows, widths=[w * mm for w in (36, 18, 15, 18, 18, 29, 20, 20)], left=2),
        Spacer(0, GAP),
        *[
            text_block(f"{name}: no likelihood ratio. {reason}", "body")
            for name, reason in part.refused.items()
        ],
        *_drawn("likelihood", plots),
    ]


def _cohorts(part: CohortsRecord) -> list[Flowable]:
    rows = [["Group", "Enrolled", "FNIR", "Others", "FPIR"]]
    rows += [
        [
            group.name,
            count(group.mated),
            f"{percent(group.fnir)}\n{interval(group.fnir_ci95)}",
            count(group.nonmated),
            f"{percent(group.fpir)}\n{interval(group.fpir_ci95)}",
        ]
        for group in part.cohorts
    ]
    spread = (
        "Worst over geometric mean (1 is parity; none where a rate is 0): FNIR "
        f"{ratio(part.fnir_max_over_geometric_mean)}, FPIR "
        f"{ratio(part.fpir_max_over_geometric_mean)}. {count(part.unlabelled)} probes have no "
        "label in this column and are left out."
    )
    return [
        text_block(f"{part.column}, {part.method}", "strong"),
        figures_table(rows, widths=[w * mm for w in (52, 24, 36, 24, 36)]),
        Spacer(0, GAP),
        text_block(spread, "soft"),
        Spacer(0, GAP),
    ]


def _drawn(section: str, plots: Sequence[tuple[str, Path]]) -> list[Flowable]:
    drawn: list[Flowable] = []
    for path in (path for name, path in plots if name == section):
        with PillowImage.open(path) as picture:
            width, height = picture.size
        image = Image(str(path), width=PLOT_WIDTH, height=PLOT_WIDTH * height / width)
        image.hAlign = "LEFT"
        drawn.append(image)
    return drawn
