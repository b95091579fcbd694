"""A folder of photos, with or without one sub-folder per person."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from db.queries.job_items import NewItem
from forensic.cases.intake import Refusal
from forensic.errors import DataFolderError
from forensic.jobs.galleries.sources.source import (
    is_storable,
    read_below,
    refused,
    subject_name,
)

SubjectFrom = Literal["file", "folder"]


class FolderSource:
    """Every file below a folder, in the order of names, a folder's files where its name stands.

    Names that begin with a dot are passed over. At most the names of the folders on the way to one
    file are held.

    Args:
        folder: Where to look.
        subject_from: Whether each file, or each folder of files, is one person.

    Raises:
        DataFolderError: It is no folder, or may not be read.
    """

    def __init__(self, folder: Path, *, subject_from: SubjectFrom = "file") -> None:
        try:
            self._root = folder.resolve(strict=True)
            os.scandir(self._root).close()
        except (OSError, RuntimeError) as error:  # resolving a link loop raises RuntimeError
            raise DataFolderError(f"{folder} is no folder that can be read. Check it.") from error
        self._subject_from = subject_from

    def items(self) -> Iterator[NewItem]:
        """Yield one item for each file and for each link to a folder."""
        return self._below("")

    def read(self, name: str) -> bytes | Refusal:
        """Return the content of one file."""
        return read_below(self._root, name)

    def close(self) -> None:
        """Nothing stays open."""

    def _below(self, prefix: str) -> Iterator[NewItem]:
        try:
            with os.scandir(self._root / prefix) as found:
                entries = sorted(
                    (e.name, e.is_dir(follow_symlinks=False), _is_folder_link(e)) for e in found
                )
        except OSError as error:
            reason = Refusal("no_access", f"The folder cannot be read: {error.strerror}.")
            yield refused(prefix.rstrip("/"), reason)
            return
        for name, is_folder, is_link in entries:
            if name.startswith("."):
                continue
            if is_folder:
                yield from self._below(f"{prefix}{name}/")
            elif is_link:
                yield refused(prefix + name, Refusal("link", "Links to folders are not followed."))
            else:
                yield item_of(prefix + name, self._subject_from)


def item_of(name: str, subject_from: SubjectFrom) -> NewItem:
    """Return the item of a file, named by its path from the root with `/` between parts."""
    if not is_storable(name):
        return refused(name, Refusal("bad_name", "The file's name is not UTF-8; rename it."))
    path = PurePosixPath(name)
    if subject_from == "file":
        subject = path.with_suffix("").as_posix()
    elif len(path.parts) > 1:
        subject = path.parent.as_posix()
    else:
        return refused(name, Refusal("no_subject", "The file lies in no person's folder."))
    return NewItem(name, subject_name(subject), {})


def _is_folder_link(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link to itself; reading it will tell
        return False
