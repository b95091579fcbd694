"""Tables of `forensic benchmark papers` for a page: our rows, and why the others are not there."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from forensic.errors import DataFolderError
from forensic.files import read_json
from forensic.weights.catalogue import load_catalogue
from pipelines.benchmark.suite.faces import Shown
from pipelines.benchmark.suite.numbers import markdown, short_p
from pipelines.papers.tables import QUOTED

Row = dict[str, Any]


def papers_table(shown: Shown) -> str:
    """Return tables of papers.json files, whose names are the labels of what is shown.

    Where only some rows are asked for, those are all that is shown.

    Raises:
        DataFolderError: A file holds no such table.
    """
    tables = [_find(label, read_json(path)) for label, path in shown.rows]
    if shown.methods:
        return "\n\n".join(_some(table, shown.methods) for table in tables)
    return "\n\n".join(_all(table) for table in tables)


def _find(name: str, document: dict[str, Any]) -> dict[str, Any]:
    for table in document["tables"]:
        if table["name"] == name:
            return dict(table)
    raise DataFolderError(f"papers.json has no table {name!r}.")


def _some(table: dict[str, Any], names: Sequence[str]) -> str:
    rows = [row for row in table["rows"] if row["name"] in names and not row["missing"]]
    return _figures(dict(table["columns"]), rows)


def _all(table: dict[str, Any]) -> str:
    rows: list[Row] = table["rows"]
    columns = dict(table["columns"])
    computed = [row for row in rows if not row["missing"]]
    parts = [_figures(columns, computed)] if computed else []
    splits = {row["split"] for row in computed}
    parts += [f"Measured on: {splits.pop()}."] if len(splits) == 1 else []
    gaps = [row for row in rows if row["missing"] and row["missing"] != QUOTED]
    parts += _not_computed(gaps, list(columns))
    quoted = [row for row in rows if row["missing"] == QUOTED]
    if quoted:
        told = (f"{row['name']} {_printed(row, _known(row, columns))}" for row in quoted)
        parts.append(f"Other systems, as the paper prints them: {'; '.join(told)}.")
    parts += [f"{table['note']} `--only {table['name']}`".strip()]
    return "\n\n".join(parts)


def _figures(columns: dict[str, str], rows: Sequence[Row]) -> str:
    """Return the computed rows; what the paper prints stands in one cell at the end."""
    ours = [key for key in columns if any(key in row["ours"] for row in rows)]
    paper = [key for key in columns if any(key in row["paper"] for row in rows)]
    apart = len({row["split"] for row in rows}) > 1
    heads = ["", "trained on", "n", *(columns[key] for key in ours)]
    heads += ["measured on"] if apart else []
    heads += [f"paper: {' / '.join(columns[key] for key in paper)}"] if paper else []
    cells = []
    for row in rows:
        seen, n = (f"{row[key]:,}" if row[key] else "" for key in ("images_seen", "n"))
        cells.append([_name(row), seen, n, *(_figure(key, row["ours"].get(key)) for key in ours)])
        cells[-1] += [row["split"]] if apart else []
        cells[-1] += [_printed(row, paper)] if paper else []
    marks = "lrr" + "r" * len(ours) + "l" * apart + "l" * bool(paper)
    return markdown(heads, marks, cells)


def _name(row: Row) -> str:
    """Return a row's name, and which network of the package it is, if it is one."""
    sha = row["weights_sha256"]
    known = next((n for n, e in load_catalogue().items() if e.is_bundled and e.sha256 == sha), "")
    if not (known and sha):
        return str(row["name"])
    return f"{row['name']} (bundled)" if known in row["name"] else f"{row['name']}, `{known}`"


def _figure(key: str, figure: dict[str, Any] | None) -> str:
    """Return a figure with two digits of its interval's half."""
    if figure is None:
        return ""
    if key == "p":
        return short_p(figure["value"])
    if not figure["ci95"]:
        return f"{figure['value']:.4g}"
    low, high = figure["ci95"]
    digits = max(0, 1 - math.floor(math.log10((high - low) / 2))) if high > low else 3
    return f"{figure['value']:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def _printed(row: Row, keys: Sequence[str]) -> str:
    """Return the paper's figures in one cell."""
    figures = [row["paper"].get(key) for key in keys]
    if all(figure is None for figure in figures):
        return "–"
    return " / ".join("–" if figure is None else f"{figure:.4g}" for figure in figures)


def _known(row: Row, columns: Iterable[str]) -> list[str]:
    """Return the columns of which the paper prints a figure in a row."""
    return [key for key in columns if key in row["paper"]]


def _not_computed(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """Return the rows that lack something, those that lack the same together."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        printed = _printed(row, _known(row, columns))
        by_reason[row["missing"]].append(f"{row['name']} ({printed})")
    if not by_reason:
        return []
    lines = [f"- {'; '.join(names)}: {reason}" for reason, names in by_reason.items()]
    return ["Not computed (the paper's figures in brackets):\n\n" + "\n".join(lines)]
