"""Model cards: what a weights file is, what it may be used for, and how well it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensic.weights.catalogue import WeightsEntry

_LIMITS = """\
- Results are investigative leads, never an identification. A candidate list must be reviewed by
  a trained examiner and corroborated by other evidence.
- An image synthesised by this network is machine-made. It shows no one, and must be labelled so
  wherever it is seen.
- Accuracy differs between groups of people and kinds of sketch; figures hold for the data named
  beside them and for no other."""


def render_card(entry: WeightsEntry, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a model card in Markdown.

    Args:
        entry: The catalogue's entry.
        results: Measured results, one table per title: measure to value. A value that is a
            mapping is written as `key value` pairs, so that n and interval stay beside it.
    """
    rows = {
        "Task": entry.task,
        "File": f"`{entry.file}`" + (f", {entry.bytes:,} bytes" if entry.bytes else ""),
        "SHA-256": f"`{entry.sha256}`" if entry.sha256 else "not recorded",
        "Origin": entry.origin,
        "Address": entry.url or "comes with the package",
        "Paper": entry.paper,
        "Training data": entry.training_data,
        "Licence": entry.licence,
    }
    parts = [f"# Model card: {entry.name}", _table(rows)]
    if entry.notes:
        parts.append(entry.notes)
    parts.append("## Limits of use\n\n" + _LIMITS)
    parts.append("## Measured results")
    if not results:
        parts.append("None recorded beside this file.")
    for title, measures in results.items():
        parts.append(f"### {title}\n\n{_table(measures)}")
    return "\n\n".join(parts) + "\n"


def _table(rows: Mapping[str, Any]) -> str:
    lines = ["| | |", "|---|---|"]
    lines += [f"| {_cell(key)} | {_cell(value)} |" for key, value in rows.items()]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    """Return a value as one table cell."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " to ".join(_cell(item) for item in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("\n", " ")
