"""Galleries: making and finding them, and counting their changes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db.errors import NotFound
from db.models.galleries import Gallery, Photo, PhotoState, Subject
from db.queries.rows import Page, fetch_page


def create_gallery(
    session: Session,
    *,
    name: str,
    embedder: str,
    weights_sha256: str,
    dimension: int,
    policy: Mapping[str, Any],
    purpose: str = "",
) -> Gallery:
    """Make an empty gallery, bound to one embedder for good.

    Raises:
        Conflict: The name is taken; seen when the transaction is flushed.
    """
    gallery = Gallery(
        name=name,
        purpose=purpose,
        embedder=embedder,
        weights_sha256=weights_sha256,
        dimension=dimension,
        policy=dict(policy),
    )
    session.add(gallery)
    session.flush()
    return gallery


def get_gallery(session: Session, name: str) -> Gallery:
    """Return the gallery called `name`.

    Raises:
        NotFound: There is none.
    """
    gallery = session.scalars(select(Gallery).where(Gallery.name == name)).one_or_none()
    if gallery is None:
        raise NotFound("gallery", name)
    return gallery


def find_gallery(session: Session, name: str) -> Gallery | None:
    """Return the gallery called `name`, None where there is none."""
    return session.scalars(select(Gallery).where(Gallery.name == name)).one_or_none()


def list_galleries(
    session: Session, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Gallery]:
    """Return galleries in the order in which they were made."""
    return fetch_page(session, select(Gallery), key=Gallery.id, after=after, limit=limit)


def gallery_ids(session: Session) -> Sequence[uuid.UUID]:
    """Return the identifiers of all galleries, in the order in which they were made."""
    return session.scalars(select(Gallery.id).order_by(Gallery.id)).all()


def count_photos(session: Session, gallery_id: uuid.UUID) -> int:
    """Return the number of photos that a search of the gallery may return."""
    statement = select(func.count()).where(
        Photo.gallery_id == gallery_id, Photo.state == PhotoState.ACTIVE
    )
    return session.scalars(statement).one()


def count_subjects(session: Session, gallery_id: uuid.UUID) -> int:
    """Return the number of people of the gallery, tombstones left out."""
    statement = select(func.count()).where(
        Subject.gallery_id == gallery_id, Subject.expunged_at.is_(None)
    )
    return session.scalars(statement).one()


def next_revision(session: Session, gallery_id: uuid.UUID) -> int:
    """Lock a gallery until the transaction ends, and return the number of this change.

    Revisions are committed in their order: who has read everything up to one of them will never
    find an older one later. Leaves `version` alone: an import must not spoil the edit of a policy.

    Raises:
        NotFound: There is no such gallery.
    """
    statement = (
        update(Gallery)
        .where(Gallery.id == gallery_id)
        .values(revision=Gallery.revision + 1)
        .returning(Gallery.revision)
        .execution_options(synchronize_session="fetch")
    )
    revision = session.scalars(statement).one_or_none()
    if revision is None:
        raise NotFound("gallery", gallery_id)
    return revision
