"""Tables about searches: how often the right person came first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from forensic.files import read_json
from forensic.reports.record import BenchmarkReport, ComparisonRecord, MethodRecord, load_report
from forensic.stats.multiplicity import holm
from pipelines.benchmark.compare import compare_reports
from pipelines.benchmark.suite.faces import Shown, asked_for
from pipelines.benchmark.suite.numbers import bare, markdown, rate, short_p

ITSELF = "none"
"""The method that embeds the very sketch."""

STYLES = {
    "raw-line": "line sketch",
    "raw-pencil-gray": "pencil, gray",
    "raw-pencil-color": "pencil, colour",
    "raw-stylization-gray": "stylization, gray",
    "raw-stylization-color": "stylization, colour",
}
GALLERIES = 6
"""Columns of a table of galleries that grow."""


def pairs_table(shown: Shown) -> str:
    """Return a row for each set of probes and each method."""
    rows = []
    for label, path in shown.rows:
        report = load_report(path)
        for name, method in chosen(report, shown.methods).items():
            last = bare(method.cms["50"]) if report.gallery >= 50 else "–"
            cells = [f"{label}, {report.probes:,}", f"{report.gallery:,}", f"`{name}`"]
            cells += [first(method), bare(method.cms["5"]), bare(method.cms["10"]), last]
            cells += [short_p(method.rank1.p_vs_chance), str(method.failures_to_enrol)]
            rows.append(cells)
    heads = ["probes", "gallery", "method", "rank 1 (95 %)", "rank 5", "rank 10", "rank 50"]
    return markdown([*heads, "p vs chance", "no face"], "lrllrrrrr", rows)


def tests_table(shown: Shown) -> str:
    """Return a row for each comparison with the very sketch."""
    rows = []
    for label, path in shown.rows:
        for found in _oriented(load_report(path), ITSELF):
            both = f"`{found.a}` and `{found.b}`"
            counts = f"{found.only_a:,} / {found.only_b:,}"
            rows.append([label, both, counts, short_p(found.mcnemar_p), short_p(found.holm_p)])
    heads = ["probes", "methods", "found by the first only / second only", "McNemar p"]
    return markdown([*heads, "after Holm"], "llrrr", rows)


def ways_table(shown: Shown) -> str:
    """Return a row for each set of probes, a column for each method, the first beside the last."""
    rows = []
    for label, path in shown.rows:
        report = load_report(path)
        methods = chosen(report, shown.methods)
        last = shown.methods[-1]
        found = next(found for found in _oriented(report, shown.methods[0]) if found.b == last)
        cells = [f"{label}, {report.probes:,}", f"{report.gallery:,}"]
        cells += map(first, methods.values())
        rows.append([*cells, f"{found.only_a} / {found.only_b}; {short_p(found.holm_p)}"])
    start, end = shown.methods[0], shown.methods[-1]
    heads = ["probes", "gallery", *(f"`{name}`" for name in shown.methods)]
    heads.append(f"right by `{start}` only / `{end}` only; McNemar after Holm")
    return markdown(heads, "lr" + "l" * (len(heads) - 2), rows)


def galleries_table(shown: Shown) -> str:
    """Return a row for each report, set beside the first of the same sketches.

    Reports of the same sketches stand one after the other, and differ in what embedded sketches
    and gallery; the last column has McNemar's test after Holm's correction over the whole table.
    """
    (name,) = shown.methods
    reports = [load_report(path) for _, path in shown.rows]
    bases: dict[str, BenchmarkReport] = {}
    verdicts = []
    for report in reports:
        base = bases.setdefault(str(report.provenance["data_sha256"]["sketches"]), report)
        other = base is not report
        verdicts.append(compare_reports(base, report, methods=(name, name))[0] if other else None)
    adjusted = iter(holm([found.outcome.p_value for found in verdicts if found]))
    rows = []
    for (label, _), report, found in zip(shown.rows, reports, verdicts, strict=True):
        method, told = report.methods[name], ""
        if found:
            counts = f"{found.outcome.only_second} / {found.outcome.only_first}"
            told = f"{counts}; {short_p(float(next(adjusted)))}"
        place = [label, f"{report.probes:,}", f"`{report.embedder.name}`"]
        rows.append([*place, first(method), bare(method.cms["10"]), told])
    heads = ["probes", "n", "sketches and gallery by", f"rank 1 of `{name}` (95 %)", "rank 10"]
    last = "found only so / only by the first of these; McNemar after Holm"
    return markdown([*heads, last], "lrlrrr", rows)


def lfw_table(shown: Shown) -> str:
    """Return a row for each kind of probe; the first report in full, the others at rank 1."""
    reports = [load_report(path) for _, path in shown.rows]
    has_paper = any(method.published for method in reports[0].methods.values())
    rows = []
    for name in chosen(reports[0], shown.methods):
        whole = reports[0].methods[name]
        cells = [_probe(name), first(whole), bare(whole.cms["10"])]
        cells += _beside_paper(whole) if has_paper else []
        rows.append(cells + [first(report.methods[name]) for report in reports[1:]])
    counts = [f"n = {report.probes:,}" for report in reports]
    labels = [f"{label}, {n}" for (label, _), n in zip(shown.rows, counts, strict=True)]
    heads = ["probe", labels[0], "rank 10", *(["paper", "p against it"] if has_paper else [])]
    return markdown([*heads, *labels[1:]], "l" + "r" * (len(heads) + len(labels) - 2), rows)


def added_table(shown: Shown) -> str:
    """Return what each inversion adds to the very sketch that it starts from."""
    rows = []
    for label, path in shown.rows:
        for found in load_report(path).comparisons:
            if found.is_primary:
                pair = _turned(found) if found.b in STYLES else found
                cells = [label, f"{_probe(pair.a)}, `{pair.b}`"]
                cells += [f"{pair.only_b:,}", f"{pair.only_a:,}", short_p(pair.holm_p)]
                rows.append(cells)
    heads = ["probes", "sketch, inversion", "found only after it", "only before"]
    return markdown([*heads, "McNemar after Holm"], "llrrr", rows)


def cohorts_table(shown: Shown) -> str:
    """Return a row for each cohort and method, of files of `forensic benchmark cohorts`."""
    rows = []
    for label, path in shown.rows:
        for column, methods in read_json(path)["columns"].items():
            for name in shown.methods or methods:
                for cohort in methods[name]["cohorts"]:
                    told = rate(cohort["rank1"], cohort["ci95"])
                    place = [label, f"`{name}`", f"{column}: {cohort['name']}"]
                    rows.append([*place, str(cohort["probes"]), told])
    return markdown(["probes", "method", "cohort", "n", "rank 1 (95 %)"], "lllrr", rows)


def growth_table(shown: Shown) -> str:
    """Return rank 1 by size of the gallery, of one report."""
    ((_, path),) = shown.rows
    report = load_report(path)
    if report.growth is None:
        return "The gallery of this report does not grow."
    by_method = {name: report.growth.methods[name] for name in asked_for(report)}
    sizes = np.array([point.gallery for point in next(iter(by_method.values()))])
    evenly = np.geomspace(sizes[0], sizes[-1], min(GALLERIES, len(sizes)))
    picked = np.unique([np.abs(np.log(sizes / wanted)).argmin() for wanted in evenly])
    rows = [
        [f"`{name}`", *(f"{100 * points[i].rank1:.0f} %" for i in picked)]
        for name, points in by_method.items()
    ]
    heads = ["method", *(f"{sizes[i]:,}" for i in picked)]
    return markdown(heads, "l" + "r" * len(picked), rows)


def chosen(report: BenchmarkReport, methods: Sequence[str]) -> dict[str, MethodRecord]:
    """Return the wanted methods of a report in the wanted order, or all as they were asked for."""
    return {name: report.methods[name] for name in methods or asked_for(report)}


def first(method: MethodRecord) -> str:
    """Return the rate at rank 1 with its interval."""
    return rate(method.cms["1"], method.rank1.ci95)


def _oriented(report: BenchmarkReport, name: str) -> Iterator[ComparisonRecord]:
    """Yield the comparisons with one method, which comes first in them."""
    for found in report.comparisons:
        if found.a == name:
            yield found
        elif found.b == name:
            yield _turned(found)


def _turned(found: ComparisonRecord) -> ComparisonRecord:
    """Return a comparison with its methods in the other order."""
    turned = {"a": found.b, "b": found.a, "only_a": found.only_b, "only_b": found.only_a}
    return found.model_copy(update=turned)


def _probe(name: str) -> str:
    return STYLES.get(name, f"inverted by `{name}`")


def _beside_paper(method: MethodRecord) -> list[str]:
    if method.published is None:
        return ["–", "–"]
    paper = method.published
    lower = ", lower" if method.cms["1"] < paper.cms1 and paper.p_differs < 0.05 else ""
    return [f"{100 * paper.cms1:.2f} %", short_p(paper.p_differs) + lower]
