"""A CSV manifest: path, person and metadata of each photo, one row each.

Columns `path` and `subject_id` are needed, `sex` and `birth_year` are understood, and every other
column is kept as a free attribute of the person under its own name. The separator is a comma, a
semicolon or a tab; the text is UTF-8.
"""

from __future__ import annotations

import codecs
import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from db.queries.job_items import NewItem
from forensic.cases.intake import Refusal
from forensic.errors import DataFolderError
from forensic.jobs.galleries.sources.source import (
    is_storable,
    read_below,
    refused,
    subject_name,
)

PATH, SUBJECT, SEX, BIRTH_YEAR = "path", "subject_id", "sex", "birth_year"
_SEPARATORS = ",;\t"
_YEARS = range(1850, 2101)
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class ManifestSource:
    """The rows of a CSV file, in their order, one at a time.

    Args:
        path: The manifest.
        root: Folder that its paths start from; its own folder where None.

    Raises:
        DataFolderError: The file cannot be read, is not UTF-8 from its first line on, or lacks a
            column; or the root is no folder.
    """

    def __init__(self, path: Path, *, root: Path | None = None) -> None:
        self._path = path
        self._separator, self._columns = _read_header(path)
        folder = path.parent if root is None else root
        try:
            self._root = folder.resolve(strict=True)
            os.scandir(self._root).close()
        except (OSError, RuntimeError) as error:
            raise DataFolderError(f"{folder} is no folder that can be read. Check it.") from error

    def items(self) -> Iterator[NewItem]:
        """Yield one item for each row below the header."""
        with open(self._path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = csv.reader(file, delimiter=self._separator)
            next(rows, None)
            while True:
                try:
                    row = next(rows)
                except StopIteration:
                    return
                except csv.Error as error:
                    what = Refusal("bad_row", f"The row cannot be read: {error}.")
                    yield refused(f"line {rows.line_num}", what)
                    continue
                if row:
                    yield self._item(row, rows.line_num)

    def read(self, name: str) -> bytes | Refusal:
        """Return the content of one file."""
        return read_below(self._root, name)

    def close(self) -> None:
        """Nothing stays open."""

    def _item(self, row: list[str], line: int) -> NewItem:
        if len(row) != len(self._columns):
            what = f"Line {line} has {len(row)} cells, the header has {len(self._columns)}."
            return refused(f"line {line}", Refusal("bad_row", what))
        cells = {name: cell.strip() for name, cell in zip(self._columns, row, strict=True)}
        path, subject = cells.pop(PATH), subject_name(cells.pop(SUBJECT))
        if not all(is_storable(text) for text in (path, subject, *cells.values())):
            what = f"Line {line} is not UTF-8; save the manifest as UTF-8."
            return refused(path or f"line {line}", Refusal("bad_name", what), subject=subject)
        if not path:
            return refused(f"line {line}", Refusal("bad_row", f"Line {line} has no path."))
        if not subject:
            return refused(path, Refusal("no_subject", f"Line {line} names no person."))
        metadata = metadata_of(cells)
        if isinstance(metadata, Refusal):
            return refused(path, metadata, subject=subject)
        return NewItem(path, subject, metadata)


def metadata_of(cells: Mapping[str, str]) -> dict[str, Any] | Refusal:
    """Return what the records keep of a person: sex, birth year and free attributes.

    Args:
        cells: Column to text; what is empty was not told.
    """
    told = {name: text for name, text in cells.items() if text}
    sex, year = told.pop(SEX, None), told.pop(BIRTH_YEAR, None)
    if year is not None and not (year.isascii() and year.isdigit() and int(year) in _YEARS):
        return Refusal(
            "bad_metadata",
            f"The birth year {year!r} is no year from {_YEARS[0]} to {_YEARS[-1]}.",
        )
    return {"sex": sex, "birth_year": int(year) if year else None, "attributes": told}


def _read_header(path: Path) -> tuple[str, list[str]]:
    """Return separator and columns.

    Raises:
        DataFolderError: The file cannot be read, or its first line is no header of a manifest.
    """
    try:
        with open(path, "rb") as file:
            raw = file.readline(1 << 16)
    except OSError as error:
        raise DataFolderError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        line = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        line = ""
    if raw.startswith(_WIDE_MARKS) or "\x00" in line or (raw and not line):
        raise DataFolderError(f"{path} is not UTF-8 text; save the manifest as CSV in UTF-8.")
    for separator in _SEPARATORS:
        columns = [c.strip() for c in next(csv.reader([line], delimiter=separator), [])]
        if {PATH, SUBJECT} <= set(columns):
            return separator, _checked(columns, path)
    raise DataFolderError(
        f"{path} lacks a column: its first line must name {PATH!r} and {SUBJECT!r}, and may name "
        f"{SEX!r}, {BIRTH_YEAR!r} and others; it is {line.strip()[:200]!r}."
    )


def _checked(columns: list[str], path: Path) -> list[str]:
    twice = sorted({c for c in columns if columns.count(c) > 1} | {c for c in columns if not c})
    if twice:
        raise DataFolderError(f"{path} has a column without a name or one twice: {twice[0]!r}.")
    return columns
