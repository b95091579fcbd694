"""`forensic benchmark cohorts`: the rates of a finished report, by groups that the user names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensic.files import write_json
from forensic.reports.record import BenchmarkReport, MethodRecord, load_report
from forensic.reports.tables import decimal, interval, percent
from forensic.stats.binomial import clopper_pearson
from forensic.stats.cohorts import max_over_geometric_mean
from pipelines.benchmark.labels import read_labels_of

NOTICE = (
    "Labels are the user's, never inferred. Groups differ in more than their label, such as in "
    "pictures and poses, and few probes tell little: read the intervals."
)


def benchmark_cohorts(path: Path, labels: Path, *, out: Path | None) -> str:
    """Return rank-1 rates of a report by cohort; the same is written to `out` as JSON.

    Args:
        path: `report.json` of a benchmark.
        labels: CSV of `--cohorts`: the probe, then columns of labels.
        out: File to write, if any.

    Raises:
        DataFolderError: A file cannot be read, or names probes that are not there.
        OSError: `out` cannot be written.
    """
    report = load_report(path)
    columns = read_labels_of(labels, _probes(report))
    tables = {
        column: {name: _cohorts(method, of) for name, method in report.methods.items()}
        for column, of in columns.items()
    }
    facts = {"notice": NOTICE, "probes": report.probes, "gallery": report.gallery}
    if out:
        write_json(out, {**facts, "columns": tables})
    lines = [
        f"{report.probes} {report.sketch_kind} sketches, gallery of {report.gallery}, "
        f"embedder {report.embedder.name}"
    ]
    for column, methods in tables.items():
        for name, found in methods.items():
            lines += [f"{column}, {name}:", *map(_line, found["cohorts"])]
            worst = decimal(found["miss_max_over_geometric_mean"])
            lines.append(f"  worst miss rate over the geometric mean of all: {worst}")
    return "\n".join([*lines, NOTICE])


def _probes(report: BenchmarkReport) -> dict[str, str]:
    return {probe: probe for probe in next(iter(report.methods.values())).ranks}


def _cohorts(method: MethodRecord, label_of: Mapping[str, str]) -> dict[str, Any]:
    """Return each cohort's rate with its interval, and how far the worst lies off."""
    cohorts, rates = [], []
    for label in sorted(set(label_of.values())):
        ranks = [method.ranks[probe] for probe, own in label_of.items() if own == label]
        found, n = sum(rank == 1 for rank in ranks), len(ranks)
        rates.append(found / n)
        ends = clopper_pearson(found, n)
        cohorts.append({"name": label, "probes": n, "rank1": rates[-1], "ci95": ends})
    missed = [1 - rate for rate in rates]
    spread = max_over_geometric_mean(missed) if len(missed) > 1 else None
    unlabelled = len(method.ranks) - len(label_of)
    return {
        "cohorts": cohorts,
        "miss_max_over_geometric_mean": spread,
        "unlabelled": unlabelled,
    }


def _line(cohort: Mapping[str, Any]) -> str:
    rate = f"{percent(cohort['rank1'])} ({interval(cohort['ci95'])})"
    return f"  {cohort['name']:20} {cohort['probes']:6} probes   {rate}"
