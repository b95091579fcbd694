"""Tables about machine-made faces: how near they come to the photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensic.files import read_json
from forensic.reports.record import BenchmarkReport, load_report
from forensic.reports.sections import MeanRecord, QualityMethod
from forensic.weights.store import BUNDLED
from pipelines.benchmark.suite.numbers import markdown, share
from pipelines.published import CSI_BESIDE, CSI_TABLE_3

METRICS = {"psnr": "PSNR (dB)", "ssim": "SSIM", "r": "R"}
DIGITS = {"psnr": 3, "ssim": 4, "r": 4}
Figures = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Shown:
    """What a table shows.

    Attributes:
        rows: Label and file of each set of probes.
        methods: Only these, in this order; empty for all.
    """

    rows: Sequence[tuple[str, Path]]
    methods: Sequence[str] = ()


def models_table(shown: Shown) -> str:
    """Return a row for each generator, of files of `forensic evaluate` on simulated sketches."""
    rows = []
    for label, path in shown.rows:
        report = read_json(path)
        paper = CSI_BESIDE[report["generator"]]
        rows.append([label, images_seen(report["generator"]), *means(report["figures"])])
        rows[-1].append(printed(paper, digits=0))
    heads = ["model", "images seen", *METRICS.values(), "paper (11,990 faces)"]
    return markdown(heads, "lrrrrl", rows)


def drawn_table(shown: Shown) -> str:
    """Return a row for each sub-set of CUFS, of files of `forensic evaluate` on drawings."""
    rows = []
    for label, path in shown.rows:
        report = read_json(path)
        rows.append([label, str(report["n_faces"]), *means(report["figures"])])
        rows[-1].append(printed(paper_of(label), digits=0))
    return markdown(["pairs", "n", *METRICS.values(), "paper (n = 6)"], "lrrrrl", rows)


def six_table(shown: Shown) -> str:
    """Return CSI's Table 3, of papers.json: all pairs, and the range of means of any six."""
    (_, path), *_ = shown.rows
    found = {row["name"]: row for row in _paper_rows(path, "csi-table-3")}
    rows = []
    for label, _ in shown.rows:
        name = subset(label)
        if f"{name}, any six" not in found:
            continue
        whole, six, cells = found[name], found[f"{name}, any six"], []
        for metric in METRICS:
            cells += [_short(metric, whole["ours"][metric]["value"])]
            cells += ["–".join(_short(metric, end) for end in six["ours"][metric]["ci95"])]
        rows.append([label, str(whole["n"]), *cells, printed(CSI_TABLE_3[name], digits=-1)])
    heads = [head for unit in METRICS.values() for head in (unit, "any six")]
    return markdown(["pairs", "n", *heads, "paper (n = 6)"], "lrrrrrrrl", rows)


def quality_table(shown: Shown) -> str:
    """Return a row for each method that makes faces, of one report of a benchmark."""
    rows = []
    for _, path in shown.rows:
        report = load_report(path)
        measured = report.quality.methods if report.quality else {}
        for name in [name for name in asked_for(report) if name in measured]:
            method = measured[name]
            cells = [_record(metric, getattr(method, metric)) for metric in METRICS]
            rows.append([f"`{name}`", f"{method.faces:,}", *cells, _published(method)])
    return markdown(["model", "faces", *METRICS.values(), "paper"], "lrrrrl", rows)


def asked_for(report: BenchmarkReport) -> list[str]:
    """Return the methods of a report in the order of its command; its JSON sorts them."""
    command: list[str] = report.provenance["command"]
    _, _, said = ",".join(command).partition("--methods,")
    order = {name: place for place, name in enumerate(said.split(","))}
    return sorted(report.methods, key=lambda name: order.get(name, len(order)))


def means(figures: Figures) -> list[str]:
    """Return mean and standard error of each metric."""
    return [_mean(name, figures[name]["mean"], figures[name]["standard_error"]) for name in METRICS]


def printed(paper: Mapping[str, tuple[float, float]], *, digits: int) -> str:
    """Return a paper's means in one cell, with so many digits more than usual."""
    psnr = f"{paper['psnr'][0]:.{DIGITS['psnr'] + digits}f}"
    others = [share(paper[name][0], DIGITS[name] + digits) for name in ("ssim", "r")]
    return " / ".join([psnr, *others])


def paper_of(label: str) -> Mapping[str, tuple[float, float]]:
    """Return CSI's Table 3 for the sub-set that a label begins with."""
    return CSI_TABLE_3[subset(label)]


def subset(label: str) -> str:
    """Return the short name of the sub-set that a label begins with, such as `cuhk`."""
    return label.split()[0].strip(",").lower()


def images_seen(generator: str) -> str:
    """Return what the results beside the weights say of the training's length."""
    results: dict[str, Any] = read_json(BUNDLED / f"{generator}.results.json")
    return str(results.get("Training", {}).get("Images seen", "–"))


def _paper_rows(path: Path, name: str) -> list[dict[str, Any]]:
    tables = read_json(path)["tables"]
    return next(list(table["rows"]) for table in tables if table["name"] == name)


def _mean(metric: str, mean: float, error: float) -> str:
    write = _plain if metric == "psnr" else share
    return f"{write(mean, DIGITS[metric])} ± {write(error, DIGITS[metric])}"


def _plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def _short(metric: str, value: float) -> str:
    return f"{value:.2f}" if metric == "psnr" else share(value, 3)


def _record(metric: str, record: MeanRecord | None) -> str:
    return _mean(metric, record.mean, record.standard_error) if record else "–"


def _published(method: QualityMethod) -> str:
    records = {name: getattr(method, name) for name in METRICS}
    papers = {n: r.published for n, r in records.items() if r and r.published}
    if len(papers) < len(METRICS):
        return "–"
    return printed({name: (paper.mean, 0.0) for name, paper in papers.items()}, digits=0)
