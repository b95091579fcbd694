"""The measured tables of model cards, filled in from reports; what was written by hand stays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from forensic.errors import RecipeError
from forensic.files import atomic_write, read_json
from forensic.reports.record import load_report
from forensic.weights.card import render_card
from forensic.weights.catalogue import load_catalogue
from pipelines.benchmark.heldout import rate_with_counts, rows_of
from pipelines.benchmark.suite.faces import METRICS, paper_of, subset
from pipelines.benchmark.suite.plan import CardTable, Plan
from pipelines.benchmark.suite.searches import ITSELF
from pipelines.benchmark.suite.tables import file_of
from pipelines.published import CSI_BESIDE, CSI_TABLE_3

CARD_KINDS = ("ablation", "embedders", "faces", "ways")
Results = dict[str, dict[str, Any]]


def write_card(
    name: str,
    tables: Sequence[CardTable],
    *,
    plan: Plan,
    reports: Callable[[str], Path],
    folder: Path,
) -> bool:
    """Bring the results and the card of one model up to date; return whether they changed.

    Args:
        name: Of the weights.
        tables: Those of its tables whose reports are up to date.
        plan: Tells the commands.
        reports: Returns the folder of a report.
        folder: Holds NAME.results.json and NAME.md.

    Raises:
        RecipeError: There is no such kind of table.
        DataFolderError: A report cannot be read.
        OSError: Likewise.
    """
    path = folder / f"{name}.results.json"
    old: Results = read_json(path) if path.is_file() else {}
    new = dict(old)
    for table in tables:
        title, rows = _measured(table, plan, reports)
        new = _replaced(new, table, title, rows)
    card = folder / f"{name}.md"
    text = render_card(load_catalogue()[name], new)
    if new == old and card.is_file() and card.read_text(encoding="utf-8") == text:
        return False
    with atomic_write(path, "w") as file:
        json.dump(new, file, indent=1, ensure_ascii=False)
    with atomic_write(card, "w") as file:
        file.write(text)
    return True


def _measured(
    table: CardTable, plan: Plan, reports: Callable[[str], Path]
) -> tuple[str, dict[str, Any]]:
    """Return a table's title with its counts, and its rows."""
    files = [file_of(row.file, reports) for row in table.rows]
    command = plan.report[table.rows[0].report].shown()
    if table.kind not in CARD_KINDS:
        raise RecipeError(f"A card has no table of the kind {table.kind!r}.")
    if table.kind == "faces":
        return table.title, {"Command": command, **_faces(table.rows[0].label, files[0])}
    if table.kind == "ablation":
        ((_, rows),) = read_json(files[0]).items()
        return table.title, {"Command": command, **rows}
    report = load_report(files[0])
    title = table.title.format(probes=f"{report.probes:,}", gallery=f"{report.gallery:,}")
    if table.kind == "ways":
        return title, {**rows_of(report, []), "Command": command}
    alone = [load_report(path).methods[ITSELF] for path in files]
    rates = {row.label: rate_with_counts(m) for row, m in zip(table.rows, alone, strict=True)}
    return title, {"Command": command, **rates}


def _faces(label: str, path: Path) -> dict[str, Any]:
    """Return the figures of a file of `forensic evaluate`, and the paper's."""
    report = read_json(path)
    rows: dict[str, Any] = {}
    for metric, unit in METRICS.items():
        figure = report["figures"][metric]
        counted = f"(n = {figure['n_values']} faces of {figure['n_clusters']} people)"
        rows[unit] = f"{figure['mean']:.4f} ± {figure['standard_error']:.4f} {counted}"
    is_drawn = subset(label) in CSI_TABLE_3
    paper = paper_of(label) if is_drawn else CSI_BESIDE[report["generator"]]
    said = "Paper (6 showcase sketches)" if is_drawn else "Paper (11,990 faces of LFW)"
    return {**rows, said: " / ".join(f"{paper[metric][0]:.4f}" for metric in METRICS)}


def _replaced(old: Results, table: CardTable, title: str, rows: Mapping[str, Any]) -> Results:
    """Return results in which a table stands in the place of its former version."""
    pattern = re.escape(table.title).replace(r"\{probes\}", r"[\d,]+")
    former = re.compile(pattern.replace(r"\{gallery\}", r"[\d,]+"))
    before = next((name for name in old if former.fullmatch(name)), None)
    if before is None:
        return {**old, title: dict(rows)}
    kept = {key: old[before][key] for key in table.keep if key in old[before]}
    return {
        (title if name == before else name): ({**rows, **kept} if name == before else value)
        for name, value in old.items()
    }
