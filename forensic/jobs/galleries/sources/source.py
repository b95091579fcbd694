"""What every source offers, and the reading of one file below a folder."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from db.queries.job_items import NewItem
from forensic.cases.intake import Refusal
from forensic.images.io import MAX_FILE_BYTES

_LINK_ERRORS = {errno.ELOOP}
_MISSING_ERRORS = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}


class Source(Protocol):
    """A place that photos are imported from."""

    def items(self) -> Iterator[NewItem]:
        """Yield every item in the source's order, which does not change while it does not."""

    def read(self, name: str) -> bytes | Refusal:
        """Return the content of the item called `name`; safe in several threads at once."""

    def close(self) -> None:
        """Free what is open."""


def refused(name: str, refusal: Refusal, *, subject: str = "") -> NewItem:
    """Return an item that is listed as rejected; its name is made fit to be stored."""
    return NewItem(readable(name), readable(subject), {}, refusal.reason, refusal.detail)


def readable(text: str) -> str:
    r"""Return text with everything escaped that UTF-8 or the records cannot hold.

    Example:
        >>> readable("caf" + chr(0xDCE9) + ".png")
        'caf\\xe9.png'
    """
    escaped = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return escaped.replace("\x00", "\\x00")


def is_storable(text: str) -> bool:
    """Answer whether the records can hold a text as it is."""
    return readable(text) == text


def subject_name(text: str) -> str:
    """Return the identifier of a person in the form in which it is compared.

    The same letters may be composed in two ways; file systems differ in which they give. One form
    (NFC) keeps one person from becoming two.
    """
    return unicodedata.normalize("NFC", text.strip())


def read_below(root: Path, name: str, *, max_bytes: int = MAX_FILE_BYTES) -> bytes | Refusal:
    """Return the content of a file below `root`, wherever its links lead, but not out of it.

    Args:
        root: Resolved folder.
        name: Path relative to it.
        max_bytes: Larger files are refused before they are read.
    """
    try:
        real = Path(os.path.realpath(root / name, strict=True))
        if not real.is_relative_to(root):
            return Refusal("outside_root", "The path leads out of the folder of the import.")
        return _read_file(real, max_bytes)
    except ValueError:
        return Refusal("bad_name", "The name cannot be that of a file.")
    except OSError as error:
        return _refusal_of(error)


def _read_file(path: Path, max_bytes: int) -> bytes | Refusal:
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            return Refusal("not_a_file", "It is a device, a pipe or a folder.")
        data = file.read(max_bytes + 1)
    return check_size(data, max_bytes)


def check_size(data: bytes, max_bytes: int) -> bytes | Refusal:
    """Return the content of a file, unless there is none or too much of it."""
    if not data:
        return Refusal("empty", "The file has 0 bytes.")
    if len(data) > max_bytes:
        return Refusal("too_many_bytes", f"At most {max_bytes:,} bytes are accepted.")
    return data


def _refusal_of(error: OSError) -> Refusal:
    if error.errno in _LINK_ERRORS:
        return Refusal("link", "The link leads to itself.")
    if error.errno in _MISSING_ERRORS:
        return Refusal("missing", "There is no such file.")
    return Refusal("no_access", f"The file cannot be read: {error.strerror}.")
