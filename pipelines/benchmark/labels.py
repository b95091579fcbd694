"""Cohort labels of probes, as the user gives them in a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from forensic.errors import DataFolderError
from pipelines.benchmark.folders import PairsData, quote


def read_labels(path: Path, data: PairsData) -> dict[str, dict[str, str]]:
    """Return the label of each probe by column, see `read_labels_of`.

    Raises:
        DataFolderError: The file cannot be read, has no labels, or names a probe twice or one
            that is not there.
    """
    return read_labels_of(path, _probes(data))


def read_labels_of(path: Path, probes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the label of each probe by column.

    The first column names a sketch, mated or not, by its path in its folder with or without
    suffix; every further column holds labels. An empty cell, like a probe that is not named,
    is no label. Nothing is inferred.

    Args:
        path: The CSV file.
        probes: Identifier of a probe by every name that it may be called.

    Raises:
        DataFolderError: The file cannot be read, has no labels, or names a probe twice or one
            that is not there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [row for row in csv.reader(file, strict=True) if any(row)] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataFolderError(f"{path} cannot be read as CSV: {error}.") from error
    if len(header) < 2 or len(set(header)) < len(header) or not all(header):
        raise DataFolderError(
            f"{path}: the first line must name two or more different columns: the probe, then "
            "kinds of labels."
        )
    _check_rows(path, header, rows, probes)
    return {
        column: {probes[row[0]]: row[place].strip() for row in rows if row[place].strip()}
        for place, column in enumerate(header[1:], start=1)
    }


def _probes(data: PairsData) -> dict[str, str]:
    sketches = [pair.sketch for pair in data.pairs] + data.nonmated
    return {key: image.id for image in sketches for key in (image.name, image.id)}


def _check_rows(
    path: Path, header: list[str], rows: list[list[str]], probes: Mapping[str, str]
) -> None:
    if not rows:
        raise DataFolderError(f"{path} holds no label.")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DataFolderError(
                f"{path}, row {number}: {len(row)} cells, expected {len(header)} as in the head."
            )
    unknown = {row[0] for row in rows} - probes.keys()
    if unknown:
        raise DataFolderError(
            f"{path} names {len(unknown)} probes that are not there: {quote(unknown)}. A probe is "
            "named by the path of its sketch inside its folder."
        )
    named = [probes[row[0]] for row in rows]
    double = {probe for probe in named if named.count(probe) > 1}
    if double:
        raise DataFolderError(f"{path} names {len(double)} probes twice: {quote(double)}.")
