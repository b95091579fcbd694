"""An output folder that appears whole or not at all."""

from __future__ import annotations

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
    there are left alone.

    Raises:
        DataFolderError: `out` is a file, holds something that is no report, or cannot be
            written.
    """
    if out.exists() and not out.is_dir():
        raise DataFolderError(f"{out} is a file. Choose another --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / REPORT).is_file():
        raise DataFolderError(f"{out} holds files but no {REPORT}. Choose an empty or new --out.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.unfinished."))
    except OSError as error:
        raise DataFolderError(f"{out} cannot be written: {error.strerror}.") from error
    try:
        yield unfinished
        _publish(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _publish(finished: Path, out: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    finished.chmod(0o777 & ~umask)
    if not out.exists():
        finished.rename(out)
        return
    for path in sorted(finished.iterdir(), key=lambda path: path.name == REPORT):
        path.replace(out / path.name)
