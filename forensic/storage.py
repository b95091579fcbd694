"""Files of the service, each kept under the SHA-256 of its content.

A folder by default, or any other place that fsspec reaches, such as S3-compatible storage. The
same content is kept once; what is read is always compared with its name.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import fsspec

from forensic.errors import CorruptFile, ForensicError, MissingFile, RangeError, StorageError

_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_INCOMING = "incoming"


@dataclass(frozen=True)
class StoredFile:
    """A file that is now in the store."""

    sha256: str
    size_bytes: int


class FileStore:
    """Keeps files by content; safe for several processes at once.

    Args:
        url: A folder, or a URL of fsspec such as `s3://bucket/prefix`.

    Raises:
        StorageError: The URL names a kind of storage that is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StorageError(
                f"Files cannot be kept in {url.split('://')[0]!r} storage: {error}. Install its "
                "fsspec package (s3fs for S3), or give a folder."
            ) from error
        self._folder = Path(self._root) if "file" in _protocols(self._files) else None

    def put(self, data: bytes) -> str:
        """Keep `data` and return its SHA-256; once this returns it outlives a power cut.

        Raises:
            StorageError: The storage cannot be written.
        """
        return self.put_stream(io.BytesIO(data)).sha256

    def put_stream(self, source: IO[bytes], *, max_bytes: int | None = None) -> StoredFile:
        """Keep what a stream gives, without holding it in memory.

        Args:
            source: Read to its end.
            max_bytes: Refuse more than this; nothing is kept then.

        Raises:
            RangeError: The stream gives more than `max_bytes`.
            StorageError: The storage cannot be written.
        """
        with _told("written", OSError):  # what the source raises is not ours to explain
            incoming = self._incoming()
            with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as draft:
                try:
                    stored = _copy(source, draft, max_bytes)
                    draft.flush()
                    os.fsync(draft.fileno())
                    self._place(Path(draft.name), stored.sha256)
                finally:
                    Path(draft.name).unlink(missing_ok=True)
        return stored

    def read(self, sha256: str) -> bytes:
        """Return the content of a file, checked against its name.

        Raises:
            MissingFile: There is none.
            CorruptFile: Its content has changed.
            StorageError: The storage cannot be read.
        """
        buffer = io.BytesIO()
        self._copy_out(sha256, buffer)
        return buffer.getvalue()

    def fetch(self, sha256: str, path: Path) -> None:
        """Copy a file to `path`, checked against its name; on an error `path` is not there.

        Raises:
            MissingFile: There is none.
            CorruptFile: Its content has changed.
            StorageError: The storage cannot be read, or `path` not written.
        """
        with _told("copied"), open(path, "xb") as target:
            try:
                self._copy_out(sha256, target)
            except StorageError:
                path.unlink(missing_ok=True)
                raise

    def exists(self, sha256: str) -> bool:
        """Answer whether a file is kept; its content is not looked at.

        Raises:
            StorageError: The storage cannot be reached.
        """
        address = self._address(sha256)
        with _told("reached"):
            return self._has(address)

    def delete(self, sha256: str) -> bool:
        """Delete a file and return whether it was there.

        Raises:
            StorageError: The storage cannot be written.
        """
        address = self._address(sha256)
        with _told("written"):
            if not self._has(address):  # asked first: S3 deletes what is not there without a word
                return False
            try:
                self._files.rm_file(address)
            except FileNotFoundError:
                return False
        return True

    def _has(self, address: str) -> bool:
        self._files.invalidate_cache()  # other processes write and delete too
        return bool(self._files.exists(address))

    def _address(self, sha256: str) -> str:
        # Only a digest ever becomes part of a path.
        if not _SHA256.match(sha256):
            raise MissingFile(f"{sha256!r} is not a SHA-256, under which files are kept.")
        return f"{self._root}/{sha256[:2]}/{sha256[2:]}"

    def _incoming(self) -> Path | None:
        """Return a folder on the same disk as the store, so that a rename completes a file."""
        if self._folder is None:
            return None
        folder = self._folder / _INCOMING
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def _place(self, draft: Path, sha256: str) -> None:
        address = self._address(sha256)
        if self._folder is None:
            with _told("written"):
                self._files.put_file(str(draft), address)
            return
        target = Path(address)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.replace(target)
        _sync_folder(target.parent)

    def _copy_out(self, sha256: str, target: IO[bytes]) -> None:
        address = self._address(sha256)
        with _told("read"):
            try:
                with self._files.open(address, "rb") as source:
                    found = _copy(source, target, None)
            except FileNotFoundError:
                raise MissingFile(
                    f"The file {sha256} is not in the store; restore it from a backup, unless its "
                    "record was expunged."
                ) from None
        if found.sha256 != sha256:
            raise CorruptFile(
                f"The file {sha256} now has the content of {found.sha256}; restore it from a "
                "backup."
            )


def _sync_folder(path: Path) -> None:
    """Force the entries of a folder to disk, without which a rename may be forgotten."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _copy(source: IO[bytes], target: IO[bytes], max_bytes: int | None) -> StoredFile:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK_BYTES):
        size += len(chunk)
        if max_bytes is not None and size > max_bytes:
            raise RangeError(f"The file has more than {max_bytes:,} bytes, which is the limit.")
        digest.update(chunk)
        target.write(chunk)
    return StoredFile(digest.hexdigest(), size)


def _protocols(files: Any) -> tuple[str, ...]:
    protocol = files.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


@contextmanager
def _told(done: str, kind: type[Exception] = Exception) -> Iterator[None]:
    """Turn what the block raises into `StorageError`; each sort of storage has errors of its own.

    Raises:
        StorageError: Something of `kind` was raised.
    """
    try:
        yield
    except ForensicError:
        raise
    except kind as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise StorageError(
            f"The file store cannot be {done}: {reason.rstrip('.')}. Check its disk, address and "
            "access rights."
        ) from error
