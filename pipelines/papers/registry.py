"""The table of papers, and their tables written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from forensic.errors import UnknownNameError
from forensic.files import atomic_write, write_json
from forensic.registry import Registry
from forensic.runtime import provenance
from pipelines.papers import cali_sketch, csi, deepfacepencil, fcn, study
from pipelines.papers.tables import Materials, PaperTable, as_json, as_markdown

PAPERS: Registry[Callable[[Materials], list[PaperTable]]] = Registry(
    "paper",
    {
        "cali": cali_sketch.tables,
        "csi": csi.tables,
        "deepfacepencil": deepfacepencil.tables,
        "fcn": fcn.tables,
        "study": study.tables,
    },
)
"""What computes the tables of each paper, by its short name."""


def compute_tables(materials: Materials, only: Sequence[str]) -> list[PaperTable]:
    """Return the tables of some papers, or of all.

    Args:
        materials: Weights and data.
        only: Names of papers, or of single tables such as `fcn-table-1`.

    Raises:
        UnknownNameError: No such paper or table.
    """
    papers = [name for name in PAPERS if not only or any(_belongs(word, name) for word in only)]
    found = [table for name in papers for table in PAPERS[name](materials)]
    known = [table.name for table in found]
    for word in only:
        if word not in PAPERS and word not in known:
            raise UnknownNameError("paper or table", word, [*PAPERS, *known], ())
    return [table for table in found if not only or _is_wanted(table.name, only)]


def benchmark_papers(materials: Materials, *, only: Sequence[str], out: Path | None) -> str:
    """Compute tables, write `papers.md` and `papers.json` into a folder, and return the text.

    Raises:
        UnknownNameError: No such paper or table.
        OSError: The folder cannot be written.
    """
    tables = compute_tables(materials, only)
    text = "\n\n".join(as_markdown(table) for table in tables)
    lines = [row for table in tables for row in table.rows]
    n_missing = sum(bool(row.missing) for row in lines)
    text += f"\n\n{len(lines) - n_missing} rows computed, {n_missing} not; each says why.\n"
    if out:
        with atomic_write(out / "papers.md", "w") as file:
            file.write(text)
        document = {"tables": [as_json(table) for table in tables], "provenance": provenance()}
        write_json(out / "papers.json", document)
    return text


def _belongs(word: str, paper: str) -> bool:
    """Answer whether a word of `--only` is a paper or one of its tables, by its name."""
    return word == paper or word.startswith(f"{paper}-")


def _is_wanted(table: str, only: Sequence[str]) -> bool:
    return any(word == table or (word in PAPERS and _belongs(table, word)) for word in only)
