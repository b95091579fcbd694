"""Landmarks and vectors on disk by the content they were computed from.

A key names everything that the value depends on, so an entry is never wrong, only unused. The
file is SQLite: each batch is one transaction, and a run that is killed loses at most the batch
it was in. It holds face embeddings, which are personal data: its folder is made readable by
its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import forensic
from forensic.errors import DataFolderError
from forensic.files import sha256_of_bytes

FILE = "embeddings.sqlite"
QUERY_KEYS = 500  # below SQLite's smallest limit on variables
MAKERS = (
    "matchers.py",
    "simulated.py",
    "sketch_domain.py",
)  # modules beside this one on which vectors depend


def key_of(**parts: Any) -> str:
    """Return the key of a value that depends on exactly these JSON-like parts."""
    return sha256_of_bytes(json.dumps(parts, sort_keys=True).encode())


def code_version(*packages: str) -> str:
    """Return a hash of the source of some packages, of `MAKERS`, and of the libraries below.

    A cached value outlives no change of the code that made it.
    """
    digest = hashlib.sha256()
    root = Path(forensic.__file__).parent
    for package in packages:
        for path in sorted((root / package).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in MAKERS:
        digest.update(name.encode() + b"\0" + Path(__file__).with_name(name).read_bytes())
    for library in ("torch", "onnxruntime", "pillow", "numpy"):
        digest.update(f"{library} {metadata.version(library)}\0".encode())
    return digest.hexdigest()


def default_cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder that an environment asks for: `forensic` in the user's cache folder."""
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "forensic"


class Cache:
    """Bytes by key; a context manager.

    Args:
        folder: Made if need be.

    Raises:
        DataFolderError: The folder cannot be written, or the file is not such a cache.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = sqlite3.connect(self._path, timeout=60)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL)"
            )
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from error

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of those keys that are known.

        Raises:
            DataFolderError: The file is damaged.
        """
        wanted = list(dict.fromkeys(keys))
        found: dict[str, bytes] = {}
        try:
            for start in range(0, len(wanted), QUERY_KEYS):
                part = wanted[start : start + QUERY_KEYS]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, value FROM entries WHERE key IN ({marks})"  # noqa: S608
                found.update(self._file.execute(query, part))
        except sqlite3.Error as error:
            raise self._broken(error) from error
        return found

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Store entries for good, all or none.

        Raises:
            DataFolderError: The disk is full or the file is damaged.
        """
        try:
            with self._file:
                self._file.executemany(
                    "INSERT OR REPLACE INTO entries VALUES (?, ?)", list(entries.items())
                )
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> DataFolderError:
        return DataFolderError(
            f"The cache {self._path} cannot be used: {error}. Delete that file, or choose another "
            "folder with --cache."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
