"""Pages in Markdown whose tables are written between marks; all the rest is left alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from forensic.errors import InputError
from forensic.files import atomic_write

_START = re.compile(r"^<!-- table: (?P<name>[a-z0-9-]+) -->$", re.MULTILINE)
END = "<!-- end -->"


def write_tables(page: Path, tables: Mapping[str, str]) -> list[str]:
    """Put tables between their marks in a page; return the names of those that changed.

    A mark whose table is not given keeps what it has.

    Raises:
        InputError: The page cannot be read, or a mark has no end before the next one.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page} cannot be read: {error.strerror}.") from error
    pieces, changed, position = [], [], 0
    for start in _START.finditer(text):
        name, end = start["name"], text.find(END, start.end())
        following = _START.search(text, start.end())
        if end < 0 or (following and following.start() < end):
            raise InputError(f"{page}: {start[0]} has no {END} after it.")
        old = text[start.end() : end]
        new = f"\n\n{tables[name]}\n\n" if name in tables else old
        changed += [name] if new != old else []
        pieces += [text[position : start.end()], new]
        position = end
    if changed:
        with atomic_write(page, "w") as file:
            file.write("".join([*pieces, text[position:]]))
    return changed


def marks(page: Path) -> list[str]:
    """Return the names of the tables for which a page has a mark.

    Raises:
        InputError: The page cannot be read.
    """
    try:
        return _START.findall(page.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{page} cannot be read: {error.strerror}.") from error
