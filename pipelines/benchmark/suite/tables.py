"""The kinds of table that a plan may ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from forensic.files import read_json
from forensic.registry import Registry
from forensic.weights.fusions import BEST
from pipelines.benchmark.suite.faces import (
    Shown,
    drawn_table,
    models_table,
    quality_table,
    six_table,
)
from pipelines.benchmark.suite.numbers import markdown
from pipelines.benchmark.suite.papers import papers_table
from pipelines.benchmark.suite.plan import Table
from pipelines.benchmark.suite.searches import (
    added_table,
    cohorts_table,
    galleries_table,
    growth_table,
    lfw_table,
    pairs_table,
    tests_table,
    ways_table,
)


def ablation_table(shown: Shown) -> str:
    """Return what `forensic benchmark ablation` wrote, one row a way."""
    rows = []
    for label, path in shown.rows:
        for told in read_json(path).values():
            for way, result in sorted(told.items(), key=lambda item: item[0] != BEST):
                figure, _, tests = result.partition("; ")
                rows.append([label, f"`{way.removesuffix(' alone')}`", figure, tests])
    return markdown(["probes", "way", "rank 1", "beside `best`"], "llll", rows)


KINDS: Registry[Callable[[Shown], str]] = Registry(
    "kind of table",
    {
        "ablation": ablation_table,
        "added": added_table,
        "cohorts": cohorts_table,
        "drawn": drawn_table,
        "galleries": galleries_table,
        "growth": growth_table,
        "lfw": lfw_table,
        "models": models_table,
        "pairs": pairs_table,
        "papers": papers_table,
        "quality": quality_table,
        "six": six_table,
        "tests": tests_table,
        "ways": ways_table,
    },
)


def render(table: Table, reports: Callable[[str], Path]) -> str:
    """Return a table in Markdown.

    Args:
        table: What the plan says of it.
        reports: Returns the folder of a report.

    Raises:
        UnknownNameError: There is no such kind.
        DataFolderError: A report cannot be read.
        OSError: Likewise.
    """
    write = KINDS[table.kind]
    rows = [(row.label, file_of(row.file, reports)) for row in table.rows]
    return write(Shown(rows, table.methods))


def file_of(place: str, reports: Callable[[str], Path]) -> Path:
    """Return the file that REPORT/FILE stands for."""
    report, _, inside = place.partition("/")
    return reports(report) / inside
