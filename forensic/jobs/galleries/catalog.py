"""Galleries as a whole: making one, listing them, and telling what is in one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Gallery
from db.queries import galleries, indexes, jobs
from db.session import session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor
from forensic.cases.intake import IntakePolicy
from forensic.errors import RecordConflict

if TYPE_CHECKING:
    from forensic.embedders.embedder import Embedder


@dataclass(frozen=True)
class GalleryInfo:
    """What a gallery is and holds.

    Attributes:
        id: Its identifier.
        name: Its name.
        purpose: What it may be searched for.
        embedder: The embedder that it is bound to.
        weights_sha256: Of the embedder's weights.
        dimension: Length of a vector.
        policy: What it asks of photos.
        created_at: When it was made.
        revision: Number of its last change.
        photos: Photos that a search may return.
        subjects: People with such a photo, or known by metadata alone.
        generation: Number of the index that is searched; None before the first.
        generation_revision: State of the gallery that this index holds.
        open_imports: Imports that have not ended.
    """

    id: uuid.UUID
    name: str
    purpose: str
    embedder: str
    weights_sha256: str
    dimension: int
    policy: Mapping[str, Any]
    created_at: datetime
    revision: int
    photos: int
    subjects: int
    generation: int | None
    generation_revision: int | None
    open_imports: int


def create(
    engine: Engine,
    name: str,
    *,
    embedder: Embedder,
    policy: IntakePolicy,
    actor: Actor,
    purpose: str = "",
) -> Gallery:
    """Make an empty gallery, bound to one embedder for good.

    Raises:
        RecordConflict: The name is taken.
    """
    with session_scope(engine) as session:
        if galleries.find_gallery(session, name) is not None:
            raise RecordConflict(f"There is a gallery {name!r} already.")
        gallery = galleries.create_gallery(
            session,
            name=name,
            embedder=embedder.name,
            weights_sha256=embedder.weights_sha256,
            dimension=embedder.dimension,
            policy=policy.model_dump(mode="json"),
            purpose=purpose,
        )
        audit.record(session, actor, audit.Tag.GALLERY_CREATED, gallery_id=gallery.id, name=name)
    return gallery


def find(engine: Engine, name: str) -> Gallery:
    """Return the gallery called `name`.

    Raises:
        NotFound: There is none.
    """
    with session_scope(engine, read_only=True) as session:
        return galleries.get_gallery(session, name)


def describe(engine: Engine, name: str) -> GalleryInfo:
    """Return what one gallery is and holds.

    Raises:
        NotFound: There is none of that name.
    """
    with session_scope(engine, read_only=True) as session:
        return _info(session, galleries.get_gallery(session, name))


def describe_all(engine: Engine) -> list[GalleryInfo]:
    """Return what every gallery is and holds, in the order of their making."""
    found: list[GalleryInfo] = []
    after: uuid.UUID | None = None
    while True:
        with session_scope(engine, read_only=True) as session:
            page = galleries.list_galleries(session, after=after)
            found += [_info(session, gallery) for gallery in page.rows]
        after = page.next_after
        if after is None:
            return found


def _info(session: Session, gallery: Gallery) -> GalleryInfo:
    active = indexes.find_active_generation(session, gallery.id)
    return GalleryInfo(
        id=gallery.id,
        name=gallery.name,
        purpose=gallery.purpose,
        embedder=gallery.embedder,
        weights_sha256=gallery.weights_sha256,
        dimension=gallery.dimension,
        policy=gallery.policy,
        created_at=gallery.created_at,
        revision=gallery.revision,
        photos=galleries.count_photos(session, gallery.id),
        subjects=galleries.count_subjects(session, gallery.id),
        generation=active.number if active else None,
        generation_revision=active.gallery_revision if active else None,
        open_imports=len(jobs.list_open_jobs(session, gallery.id, kind="import")),
    )
