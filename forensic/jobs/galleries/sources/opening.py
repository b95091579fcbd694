"""From what a job says to an open source."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forensic.cases.intake import ImportSource
from forensic.errors import DataFolderError
from forensic.jobs.galleries.sources.archive import ZipSource
from forensic.jobs.galleries.sources.folder import FolderSource
from forensic.jobs.galleries.sources.manifest import ManifestSource
from forensic.jobs.galleries.sources.source import Source
from forensic.storage import FileStore


@contextmanager
def opened(asked: ImportSource, store: FileStore) -> Iterator[Source]:
    """Yield the source that a job names; an archive of the store is copied out for the time.

    Raises:
        DataFolderError: It is not there or not what it is said to be.
        StorageError: An archive cannot be copied out of the store.
    """
    with tempfile.TemporaryDirectory(prefix="forensic-import-") as folder:
        path = asked.path
        if asked.sha256 is not None:
            path = Path(folder) / "archive.zip"
            store.fetch(asked.sha256, path)
        if path is None:
            raise DataFolderError("The import names no place to read from.")
        source = _open(asked, path)
        try:
            yield source
        finally:
            source.close()


def _open(asked: ImportSource, path: Path) -> Source:
    if asked.kind == "zip":
        return ZipSource(path, subject_from=asked.subject_from)
    if asked.kind == "manifest":
        return ManifestSource(path, root=asked.root)
    return FolderSource(path, subject_from=asked.subject_from)
