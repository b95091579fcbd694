"""An output folder that appears whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forensic.errors import DataFolderError

REPORT = "report.json"


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder whose content becomes `out` when the block ends without an error.

    An earlier report in `out` is replaced file by file, its `report.json` last; other files
    there are left alone. What a killed run for the same `out` left behind is removed first.

    Raises:
        DataFolderError: `out` is a file, holds something that is no report, or cannot be
            written.
    """
    if out.exists() and not out.is_dir():
        raise DataFolderError(f"{out} is a file. Choose another --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / REPORT).is_file():
        raise DataFolderError(f"{out} holds files but no {REPORT}. Choose an empty or new --out.")
    prefix = f".{out.name}.unfinished."
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(out.parent, prefix)
        unfinished, lock = _make_locked(out.parent, prefix)
    except OSError as error:
        raise DataFolderError(f"{out} cannot be written: {error.strerror}.") from error
    try:
        yield unfinished
        _publish(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        os.close(lock)


def _make_locked(parent: Path, prefix: str) -> tuple[Path, int]:
    """Return a new folder and the descriptor that locks it until its process ends."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # else another run took it for a stale one before it was locked
            return folder, lock
        os.close(lock)


def _remove_stale(parent: Path, prefix: str) -> None:
    """Remove unfinished folders whose process is gone: nobody holds their lock any more."""
    for path in sorted(parent.iterdir()):
        if not path.name.startswith(prefix) or not path.is_dir() or path.is_symlink():
            continue
        lock = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
        except BlockingIOError:
            pass  # its run is still going on
        finally:
            os.close(lock)


def _publish(finished: Path, out: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    finished.chmod(0o777 & ~umask)
    if not out.exists():
        finished.rename(out)
        return
    for path in sorted(finished.iterdir(), key=lambda path: path.name == REPORT):
        path.replace(out / path.name)
