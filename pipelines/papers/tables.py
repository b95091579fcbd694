"""What a paper's table is made of, and what it is computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from forensic.datasets.packed import PackedDataset
from forensic.errors import DataFolderError, ForensicError, MissingWeights
from forensic.generators.registry import GENERATORS, LoadedGenerator, load_generator

WEIGHTS_SUFFIX = ".safetensors"

QUOTED = "another system, quoted by the paper"
"""Why a row of somebody else's system has no figures of ours."""


@dataclass(frozen=True)
class Measured:
    """One of our figures.

    Attributes:
        value: In the unit of its column.
        ci95: Its 95 % interval, where one is known.
    """

    value: float
    ci95: tuple[float, float] | None = None


@dataclass(frozen=True)
class Row:
    """One line of a table: what the paper prints beside what was measured here.

    Attributes:
        name: What the paper calls it.
        paper: Printed figures by column; those not printed are left out.
        ours: Our figures by column.
        n: Pictures (or searches) behind ours.
        split: On what ours was measured.
        missing: Why it could not be computed, with the remedy; empty where it was.
        weights_sha256: Of the generator, where one was used.
        images_seen: On how many images, repeats included, that generator was trained; 0 if unknown.
    """

    name: str
    paper: Mapping[str, float] = field(default_factory=dict)
    ours: Mapping[str, Measured] = field(default_factory=dict)
    n: int = 0
    split: str = ""
    missing: str = ""
    weights_sha256: str = ""
    images_seen: int = 0


@dataclass(frozen=True)
class PaperTable:
    """One table or figure of a paper.

    Attributes:
        name: Short name for files and `--only`, e.g. `fcn-table-1`.
        title: Paper, table and what is measured.
        columns: Column to heading with its unit.
        rows: In the paper's order.
        note: What must be known to read it.
    """

    name: str
    title: str
    columns: Mapping[str, str]
    rows: Sequence[Row]
    note: str = ""


@dataclass(frozen=True)
class Materials:
    """Trained weights and data by name, as the user gave them.

    Attributes:
        weights: Folders that are searched for NAME.safetensors, sub-folders included.
        data: Packed data sets by name, e.g. `cuhk`.
        device: Where to compute.
        features: File of a network whose features compare sets of images, if any.
        speed: Measure run times as well.
        sheets: Folder for contact sheets; None writes none.
    """

    weights: Sequence[Path]
    data: Mapping[str, Path]
    device: torch.device
    features: Path | None = None
    speed: bool = False
    sheets: Path | None = None

    def find_weights(self, name: str) -> Path | None:
        """Return the file of weights called `name` among the user's, or None."""
        for folder in self.weights:
            for path in sorted(folder.rglob(name + WEIGHTS_SUFFIX)):
                return path
        return None

    def has_generator(self, name: str) -> bool:
        """Answer whether a generator was trained: by the user, or for the package."""
        return self.find_weights(name) is not None or name in GENERATORS

    def generator(self, name: str, *, train: str = "") -> LoadedGenerator:
        """Return a trained generator: the user's file, else the one that comes with the package.

        Args:
            name: Of its recipe.
            train: What `forensic train` must be told to make it; its name where it has a recipe
                of its own.

        Raises:
            MissingWeights: There is neither.
            WeightsError: The file is damaged or of another network.
        """
        if not self.has_generator(name):
            raise MissingWeights(
                f"no {name}{WEIGHTS_SUFFIX} in --weights; train it with "
                f"`forensic train {train or name} --out RUN`"
            )
        path = self.find_weights(name)
        return load_generator(str(path) if path else name, self.device)

    def folder(self, name: str) -> Path:
        """Return a packed data set.

        Raises:
            DataFolderError: It was not given.
        """
        if name not in self.data:
            raise DataFolderError(f"no data set {name!r}; give --data {name}=FOLDER")
        return self.data[name]

    def packed(self, name: str) -> PackedDataset:
        """Open a packed data set.

        Raises:
            DataFolderError: It was not given, or is unfinished.
            HashMismatch: It was changed.
        """
        return PackedDataset(self.folder(name))


def try_row(name: str, paper: Mapping[str, float], measure: Callable[[], Row]) -> Row:
    """Return the measured row, or one that says why it could not be measured.

    Args:
        name: What the paper calls it.
        paper: What it prints.
        measure: Returns the row without name and printed figures.
    """
    try:
        row = measure()
    except ForensicError as error:
        return Row(name, paper, missing=str(error))
    return replace(row, name=name, paper=paper)


def printed_only(name: str, paper: Mapping[str, float]) -> Row:
    """Return a row of somebody else's system, which the paper only quotes."""
    return Row(name, paper, missing=QUOTED)


def as_json(table: PaperTable) -> dict[str, Any]:
    """Return a table as JSON values."""
    return {
        "name": table.name,
        "title": table.title,
        "note": table.note,
        "columns": [list(column) for column in table.columns.items()],  # JSON sorts names
        "rows": [
            {
                "name": row.name,
                "paper": dict(row.paper),
                "ours": {
                    key: {"value": figure.value, "ci95": figure.ci95}
                    for key, figure in row.ours.items()
                },
                "n": row.n,
                "split": row.split,
                "missing": row.missing,
                "weights_sha256": row.weights_sha256,
                "images_seen": row.images_seen,
            }
            for row in table.rows
        ],
    }


def as_markdown(table: PaperTable) -> str:
    """Return a table in Markdown: for each column the paper's figure and ours."""
    heads = [f"{unit}, {side}" for unit in table.columns.values() for side in ("paper", "ours")]
    lines = [f"### {table.title} (`{table.name}`)", ""]
    lines.append("| | " + " | ".join([*heads, "n", "trained on", "measured on"]) + " |")
    lines.append("|---|" + "--:|" * (len(heads) + 2) + "---|")
    for row in table.rows:
        cells = []
        for key in table.columns:
            cells += [_number(row.paper.get(key)), _figure(row.ours.get(key))]
        where = f"not computed: {row.missing}" if row.missing else row.split
        trained = f"{row.images_seen:,} images" if row.images_seen else ""
        cells += [str(row.n) if row.n else "", trained, where]
        lines.append(
            f"| {row.name} | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        )
    return "\n".join([*lines, *(["", table.note] if table.note else [])])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _figure(figure: Measured | None) -> str:
    if figure is None:
        return ""
    low_high = f" ({figure.ci95[0]:.4g} to {figure.ci95[1]:.4g})" if figure.ci95 else ""
    return f"{figure.value:.4g}{low_high}"
