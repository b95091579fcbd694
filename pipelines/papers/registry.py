"""The table of papers, and their tables written out."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from forensic.errors import UnknownNameError
from forensic.files import atomic_write, write_json
from forensic.registry import Registry
from forensic.runtime import provenance
from pipelines.papers import cali_sketch, csi, deepfacepencil, fcn, study
from pipelines.papers.seen import read_images_seen, state_training
from pipelines.papers.tables import Materials, PaperTable, as_json, as_markdown

PAPERS: Registry[Mapping[str, Callable[[Materials], PaperTable]]] = Registry(
    "paper",
    {
        "cali": cali_sketch.TABLES,
        "csi": csi.TABLES,
        "deepfacepencil": deepfacepencil.TABLES,
        "fcn": fcn.TABLES,
        "study": study.TABLES,
    },
)
"""What computes each table of a paper, by the paper's short name and the table's."""


def compute_tables(materials: Materials, only: Sequence[str]) -> list[PaperTable]:
    """Return the tables of some papers, or of all; no other table is computed.

    Args:
        materials: Weights and data.
        only: Names of papers, or of single tables such as `fcn-table-1`.

    Raises:
        UnknownNameError: No such paper or table.
    """
    known = [*PAPERS, *(table for tables in PAPERS.values() for table in tables)]
    for word in only:
        if word not in known:
            raise UnknownNameError("paper or table", word, known, ())
    found = [
        compute(materials)
        for paper, tables in PAPERS.items()
        for table, compute in tables.items()
        if not only or paper in only or table in only
    ]
    return state_training(found, read_images_seen(materials.weights))


def command_of(materials: Materials, table: str) -> str:
    """Return the command that computes one table from the same weights and data."""
    words = ["forensic", "benchmark", "papers", "--only", table]
    for folder in materials.weights:
        words += ["--weights", str(folder)]
    for name, folder in materials.data.items():
        words += ["--data", f"{name}={folder}"]
    words += ["--features", str(materials.features)] if materials.features else []
    words += ["--speed"] if materials.speed else []
    return shlex.join(words)


def benchmark_papers(materials: Materials, *, only: Sequence[str], out: Path | None) -> str:
    """Compute tables, write `papers.md` and `papers.json` into a folder, and return the text.

    Raises:
        UnknownNameError: No such paper or table.
        OSError: The folder cannot be written.
    """
    tables = compute_tables(materials, only)
    text = "\n\n".join(
        f"{as_markdown(table)}\n\n`{command_of(materials, table.name)}`" for table in tables
    )
    lines = [row for table in tables for row in table.rows]
    n_missing = sum(bool(row.missing) for row in lines)
    text += f"\n\n{len(lines) - n_missing} rows computed, {n_missing} not; each says why.\n"
    if out:
        with atomic_write(out / "papers.md", "w") as file:
            file.write(text)
        document = {"tables": [as_json(table) for table in tables], "provenance": provenance()}
        write_json(out / "papers.json", document)
    return text
