"""Galleries as people manage them: making one, imports, publishing its index."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO, Any, Literal

from sqlalchemy.orm import Session

from db.models import Gallery, IndexGeneration, Job
from db.queries import galleries as gallery_rows
from db.queries import indexes as index_rows
from db.queries.rows import Page, get_row
from forensic.cases import access, audit, files, jobs
from forensic.cases.actor import Actor
from forensic.cases.intake import ImportSource, read_policy
from forensic.cases.permissions import Action, check
from forensic.errors import RecordConflict, RecordNotFound, RequestRefused, StaleRecord
from forensic.storage import FileStore
from forensic.weights.catalogue import load_catalogue
from forensic.weights.embedders import DRAWN, drawn_sha256


@dataclass(frozen=True)
class EmbedderChoice:
    """An embedder to which a new gallery can be bound.

    Attributes:
        is_bundled: Whether its weights come with the package, or have to be fetched.
    """

    name: str
    weights_sha256: str
    dimension: int
    is_bundled: bool


@dataclass(frozen=True)
class GalleryView:
    """A gallery, how many photos it holds, and the index that is searched (None before one)."""

    gallery: Gallery
    photo_count: int
    generation: IndexGeneration | None


def embedders() -> tuple[EmbedderChoice, ...]:
    """Return the embedders of the catalogue, by name, those with a drawn gallery first."""
    catalogue = load_catalogue()
    drawn, plain = [], []
    for name, entry in sorted(catalogue.items()):
        if not entry.dimension or not entry.sha256:
            continue
        own = EmbedderChoice(name, entry.sha256, entry.dimension, entry.is_bundled)
        plain.append(own)
        if f"adapter-{name}" in catalogue:
            sha256 = drawn_sha256(entry.sha256, [catalogue[f"adapter-{name}"].sha256])
            drawn.append(replace(own, name=f"{DRAWN}{name}", weights_sha256=sha256))
    return (*drawn, *plain)


def create_gallery(
    session: Session,
    actor: Actor,
    *,
    name: str,
    purpose: str,
    embedder: str,
    policy: Mapping[str, Any] | None = None,
) -> Gallery:
    """Make an empty gallery, bound to one embedder for good.

    Raises:
        NotPermitted: No role of the actor allows it.
        RequestRefused: A field is empty, or the embedder is not known.
        InputError: The policy is malformed.
        RecordConflict: The name is taken.
    """
    check(actor, Action.MANAGE_GALLERY)
    name = access.required_text(name, "name", max_length=100)
    purpose = access.required_text(purpose, "purpose")
    chosen = {choice.name: choice for choice in embedders()}.get(embedder)
    if chosen is None:
        raise RequestRefused(f"There is no embedder {embedder!r}.", field="embedder")
    if gallery_rows.find_gallery(session, name) is not None:
        raise RecordConflict(f"There is a gallery {name!r} already.")
    gallery = gallery_rows.create_gallery(
        session,
        name=name,
        purpose=purpose,
        embedder=chosen.name,
        weights_sha256=chosen.weights_sha256,
        dimension=chosen.dimension,
        policy=read_policy(policy or {}).model_dump(mode="json"),
    )
    audit.record(
        session,
        actor,
        audit.Tag.GALLERY_CREATED,
        gallery_id=gallery.id,
        name=name,
        purpose=purpose,
        embedder=embedder,
        weights_sha256=chosen.weights_sha256,
    )
    return gallery


def list_galleries(
    session: Session, actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Gallery]:
    """Return galleries in the order in which they were made.

    Raises:
        NotPermitted: No role of the actor allows it.
    """
    check(actor, Action.VIEW_GALLERY)
    with access.plain_errors():
        page = gallery_rows.list_galleries(session, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.GALLERIES_LISTED, count=len(page.rows))
    return page


def get_gallery(session: Session, actor: Actor, gallery_id: uuid.UUID) -> GalleryView:
    """Return a gallery and the state of its index.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such gallery.
    """
    check(actor, Action.VIEW_GALLERY)
    gallery = _gallery(session, gallery_id)
    view = GalleryView(
        gallery,
        gallery_rows.count_photos(session, gallery_id),
        index_rows.find_active_generation(session, gallery_id),
    )
    audit.record(session, actor, audit.Tag.GALLERY_VIEWED, gallery_id=gallery_id)
    return view


def update_gallery(
    session: Session,
    actor: Actor,
    gallery_id: uuid.UUID,
    *,
    expected_version: int | None = None,
    purpose: str | None = None,
    policy: Mapping[str, Any] | None = None,
) -> Gallery:
    """Change the purpose, or the policy for later imports; what is None stays.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such gallery.
        StaleRecord: Someone else has changed it meanwhile.
        RequestRefused: The purpose is empty.
        InputError: The policy is malformed.
    """
    check(actor, Action.MANAGE_GALLERY)
    gallery = _gallery(session, gallery_id, lock=True)
    if expected_version is not None and gallery.version != expected_version:
        raise StaleRecord("The gallery was changed by someone else meanwhile; read it again.")
    before = {"purpose": gallery.purpose, "policy": gallery.policy}
    if purpose is not None:
        gallery.purpose = access.required_text(purpose, "purpose")
    if policy is not None:
        gallery.policy = read_policy(policy).model_dump(mode="json")
    session.flush()
    audit.record(
        session,
        actor,
        audit.Tag.GALLERY_CHANGED,
        gallery_id=gallery_id,
        before=before,
        after={"purpose": gallery.purpose, "policy": gallery.policy},
    )
    return gallery


def request_import(
    session: Session,
    actor: Actor,
    gallery_id: uuid.UUID,
    *,
    archive: IO[bytes],
    store: FileStore,
    subject_from: Literal["file", "folder"] = "file",
    max_bytes: int | None = None,
) -> Job:
    """Keep an uploaded ZIP of photos and have them imported.

    The file is copied before anything is asked of the session: copying may take minutes, during
    which no transaction is open.

    Args:
        session: A session that may write, and has not begun.
        actor: Who asks.
        gallery_id: Which gallery.
        archive: The ZIP, read to its end.
        store: Where files are kept.
        subject_from: Whether each file, or each folder of files, is one person.
        max_bytes: Refuse a larger archive.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such gallery.
        RecordConflict: The same archive was deleted at this moment.
        RangeError: The archive is too large.
        StorageError: It cannot be kept.
    """
    check(actor, Action.MANAGE_GALLERY)
    stored = store.put_stream(archive, max_bytes=max_bytes)
    try:
        _gallery(session, gallery_id)
    except RecordNotFound:
        files.delete_free(session, store, [stored.sha256])
        raise
    files.check_kept(session, store, stored.sha256)
    source = ImportSource(kind="zip", sha256=stored.sha256, subject_from=subject_from)
    job = jobs.create(
        session,
        actor,
        jobs.JobKind.IMPORT,
        {"source": source.model_dump(mode="json")},
        gallery_id=gallery_id,
    )
    audit.record(
        session,
        actor,
        audit.Tag.IMPORT_REQUESTED,
        gallery_id=gallery_id,
        job_id=job.id,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        subject_from=subject_from,
    )
    return job


def list_indexes(
    session: Session,
    actor: Actor,
    gallery_id: uuid.UUID,
    *,
    after: int | None = None,
    limit: int = 50,
) -> Page[IndexGeneration]:
    """Return the indexes that were built of a gallery, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such gallery.
    """
    check(actor, Action.VIEW_GALLERY)
    _gallery(session, gallery_id)
    with access.plain_errors():
        page = index_rows.list_generations(session, gallery_id, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.GALLERY_VIEWED, gallery_id=gallery_id, what="indexes")
    return page


def request_index(session: Session, actor: Actor, gallery_id: uuid.UUID) -> Job:
    """Have the gallery published as it is now.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such gallery.
    """
    check(actor, Action.MANAGE_GALLERY)
    _gallery(session, gallery_id)
    job = jobs.create(session, actor, jobs.JobKind.INDEX, {}, gallery_id=gallery_id)
    audit.record(session, actor, audit.Tag.INDEX_REQUESTED, gallery_id=gallery_id, job_id=job.id)
    return job


def _gallery(session: Session, gallery_id: uuid.UUID, *, lock: bool = False) -> Gallery:
    with access.plain_errors():
        return get_row(session, Gallery, gallery_id, lock=lock)
