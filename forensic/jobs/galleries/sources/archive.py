"""A ZIP archive of photos, read without unpacking it to disk."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from db.queries.job_items import NewItem
from forensic.cases.intake import Refusal
from forensic.errors import DataFolderError
from forensic.images.io import MAX_FILE_BYTES
from forensic.jobs.galleries.sources.folder import SubjectFrom, item_of
from forensic.jobs.galleries.sources.source import check_size, is_storable, refused

_NOT_OURS = "__MACOSX"
"""Where one system's archiver puts its own notes, one beside each file."""


class ZipSource:
    """Every file of a ZIP archive, in the archive's order.

    Its table of contents is held in memory, which is how ZIP archives are read; the files are not.

    Args:
        path: The archive.
        subject_from: Whether each file, or each folder of files, is one person.

    Raises:
        DataFolderError: It is no ZIP archive, or may not be read.
    """

    def __init__(self, path: Path, *, subject_from: SubjectFrom = "file") -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise DataFolderError(
                f"{path} is no ZIP archive that can be read: {error}. Check the file."
            ) from error
        self._subject_from = subject_from

    def items(self) -> Iterator[NewItem]:
        """Yield one item for each file of the archive."""
        for entry in self._archive.infolist():
            parts = PurePosixPath(entry.filename).parts
            if entry.is_dir() or any(p.startswith(".") and p != ".." for p in parts):
                continue
            if parts[:1] != (_NOT_OURS,):
                yield self._item(entry, parts)

    def read(self, name: str) -> bytes | Refusal:
        """Return the content of one file of the archive."""
        try:
            with self._archive.open(name) as file:
                # The size that an archive tells of a file may be a lie, so it is measured.
                return check_size(file.read(MAX_FILE_BYTES + 1), MAX_FILE_BYTES)
        except KeyError:
            return Refusal("missing", "The archive has no such file.")
        except NotImplementedError:  # a kind of RuntimeError, so it comes first
            return Refusal("unreadable", "The archive uses a method that cannot be unpacked.")
        except RuntimeError:  # which is how zipfile says that a password is needed
            return Refusal("no_access", "The file is encrypted.")
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            return Refusal("unreadable", f"The archive is damaged here: {error}.")

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _item(self, entry: zipfile.ZipInfo, parts: tuple[str, ...]) -> NewItem:
        name = entry.filename
        if not is_storable(name):
            return refused(name, Refusal("bad_name", "The name in the archive is no text."))
        if ".." in parts or name.startswith(("/", "\\")):
            return refused(name, Refusal("outside_root", "The path leads out of the archive."))
        if self._archive.getinfo(name) is not entry:
            return refused(name, Refusal("bad_name", "A later file has the same name."))
        return item_of(name, self._subject_from)
