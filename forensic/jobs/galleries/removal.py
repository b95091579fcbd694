"""Taking people out of a gallery: for now, or for good with a proof in the audit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.errors import NotFound
from db.models import Photo, PhotoState, Subject
from db.queries.held import count_embeddings, list_photos
from db.queries.jobs import iterate_jobs
from db.queries.photos import BATCH_MAX, remove_photos
from db.queries.rows import PAGE_SIZE_MAX, get_row
from db.queries.subjects import Expunged, expunge_subject, find_subject
from db.session import forget_deleted, session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor
from forensic.cases.files import delete_free
from forensic.cases.jobs import JobKind
from forensic.files import sha256_of_bytes
from forensic.jobs.galleries.projection import publish
from forensic.storage import FileStore


@dataclass(frozen=True)
class Removal:
    """What was taken out.

    Attributes:
        photo_ids: Numbers that no search returns any more.
        deleted_files: SHA-256 of each photo and crop deleted from the store.
    """

    photo_ids: tuple[int, ...]
    deleted_files: tuple[str, ...]


def remove_subject(
    engine: Engine,
    gallery_id: uuid.UUID,
    external_id: str,
    *,
    store: FileStore,
    folder: Path,
    actor: Actor,
) -> Removal:
    """Take a person's photos out of a gallery; the same files may be imported again later.

    Args:
        engine: The records.
        gallery_id: Which gallery.
        external_id: The operator's identifier of the person.
        store: Where photos are kept.
        folder: Where indexes are published.
        actor: Who does it, for the audit.

    Raises:
        NotFound: There is no such person, or the person was expunged.
        StorageError: A file cannot be deleted; doing it again goes on.
    """
    with session_scope(engine) as session:
        subject = find_subject(session, gallery_id, external_id)
        if subject is None or subject.expunged_at is not None:
            raise NotFound("subject", external_id)
        photos = _photos_of(session, subject.id)
        numbers = [photo.id for photo in photos if photo.state is PhotoState.ACTIVE]
        for start in range(0, len(numbers), BATCH_MAX):
            remove_photos(session, gallery_id, numbers[start : start + BATCH_MAX])
        files = {sha256 for p in photos for sha256 in (p.sha256, p.crop_sha256) if sha256}
        told: dict[str, Any] = {"gallery_id": gallery_id, "subject_id": subject.id}
        audit.record(session, actor, audit.Tag.SUBJECT_CHANGED, removed_photos=numbers, **told)
    with session_scope(engine) as session:
        deleted = delete_free(session, store, files)
    _settle(engine, folder, gallery_id)
    return Removal(tuple(numbers), deleted)


def expunge(
    engine: Engine,
    gallery_id: uuid.UUID,
    external_id: str,
    *,
    store: FileStore,
    folder: Path,
    actor: Actor,
) -> Removal:
    """Take a person out for good: metadata, vectors, photos and crops go, a tombstone stays.

    From the first commit on no search returns the person, from whatever generation of the index.
    Killed on the way, it is done again and goes on; the proof, written last, tells what was
    deleted and that nothing is left.

    Args:
        engine: The records.
        gallery_id: Which gallery.
        external_id: The operator's identifier of the person.
        store: Where photos are kept.
        folder: Where indexes are published.
        actor: Who does it, for the audit.

    Raises:
        NotFound: The gallery never knew such a person.
        StorageError: A file cannot be deleted; doing it again goes on.
        OSError: The index cannot be written; doing it again goes on.
    """
    with session_scope(engine) as session:
        subject = find_subject(session, gallery_id, external_id)
        if subject is None:
            raise NotFound("subject", external_id)
        facts = _facts(subject, expunge_subject(session, subject.id))
        audit.record(session, actor, audit.Tag.SUBJECT_EXPUNGED, step="records", **facts)
        subject_id = subject.id
    return finish_expunging(engine, subject_id, store=store, folder=folder, actor=actor)


def finish_expunging(
    engine: Engine, subject_id: uuid.UUID, *, store: FileStore, folder: Path, actor: Actor
) -> Removal:
    """Clear whatever is left of a person whom the records have expunged, and write the proof.

    Deletes the files and the archives they were uploaded in, publishes the index without the
    vectors, and takes them out of the database's log. Names the same files each time, so a crash
    half-way is mended by doing it again.

    Args:
        engine: The records.
        subject_id: Who was expunged.
        store: Where photos are kept.
        folder: Where indexes are published.
        actor: Who does it, for the audit.

    Raises:
        NotFound: There is no such person.
        StorageError: A file cannot be deleted; doing it again goes on.
        OSError: The index cannot be written; doing it again goes on.
    """
    with session_scope(engine) as session:
        subject = get_row(session, Subject, subject_id)
        gone = expunge_subject(session, subject_id)
        gallery_id, facts = subject.gallery_id, _facts(subject, gone)
        deleted = delete_free(session, store, gone.file_sha256s)
        delete_archives(session, gallery_id, store=store)
    log_is_clear = _settle(engine, folder, gallery_id)
    left = [sha256 for sha256 in sorted(gone.file_sha256s) if store.exists(sha256)]
    with session_scope(engine) as session:
        facts |= {
            "deleted_files": deleted,
            "files_left": left,
            "embeddings_left": count_embeddings(session, gone.photo_ids),
            "log_is_clear": log_is_clear,
        }
        audit.record(session, actor, audit.Tag.SUBJECT_EXPUNGED, step="proof", **facts)
    return Removal(gone.photo_ids, deleted)


def delete_archives(session: Session, gallery_id: uuid.UUID, *, store: FileStore) -> None:
    """Delete the uploaded archives of imports that have ended: they show whoever was taken out.

    Raises:
        StorageError: One cannot be deleted; doing it again goes on.
    """
    archives = (
        job.parameters.get("source", {}).get("sha256")
        for job in iterate_jobs(session, gallery_id=gallery_id, kind=JobKind.IMPORT)
        if job.ended_at is not None
    )
    delete_free(session, store, {sha256 for sha256 in archives if sha256})


def _facts(subject: Subject, gone: Expunged) -> dict[str, Any]:
    """Return what the audit keeps: nothing in it names the person, only one who knows can check."""
    return {
        "gallery_id": subject.gallery_id,
        "subject_id": subject.id,
        "identifier_sha256": sha256_of_bytes(subject.external_id.encode()),
        "photo_ids": list(gone.photo_ids),
        "files": sorted(gone.file_sha256s),
    }


def _photos_of(session: Session, subject_id: uuid.UUID) -> list[Photo]:
    photos: list[Photo] = []
    after: int | None = None
    while True:
        page = list_photos(session, subject_id, after=after, limit=PAGE_SIZE_MAX)
        photos += page.rows
        after = page.next_after
        if after is None:
            return photos


def _settle(engine: Engine, folder: Path, gallery_id: uuid.UUID) -> bool:
    """Publish the gallery without the removed, and take them out of the database's log."""
    publish(engine, folder, gallery_id)
    return forget_deleted(engine)
