"""Files of the store that records name: kept with the record, deleted when none names them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from db.queries.files import free_files, hold_files
from forensic.errors import RecordConflict
from forensic.storage import FileStore


def keep(session: Session, store: FileStore, data: bytes) -> str:
    """Keep a file for a record that this transaction is about to add; return its SHA-256.

    Raises:
        StorageError: The storage cannot be written.
    """
    hold_files(session)
    return store.put(data)


def check_kept(session: Session, store: FileStore, sha256: str) -> None:
    """Make sure of a file that was put before the transaction which names it.

    Raises:
        RecordConflict: It was deleted meanwhile, with the last record that named it.
        StorageError: The storage cannot be reached.
    """
    hold_files(session)
    if not store.exists(sha256):
        raise RecordConflict("The same file was deleted at this moment; send it again.")


def delete_free(session: Session, store: FileStore, sha256s: Collection[str]) -> tuple[str, ...]:
    """Delete those of the files that no record names, and return those that were there.

    Raises:
        StorageError: A file cannot be deleted; doing it again goes on.
    """
    free = free_files(session, frozenset(sha256s))
    return tuple(sha256 for sha256 in sorted(free) if store.delete(sha256))
