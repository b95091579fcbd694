"""What a gallery holds: its photos, their people and vectors, read without a change."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models.galleries import Embedding, Photo, PhotoState, Subject
from db.queries.rows import Page, fetch_page


def list_photos(
    session: Session, subject_id: uuid.UUID, *, after: int | None = None, limit: int = 50
) -> Page[Photo]:
    """Return the photos of a subject, tombstones included, in the order of their numbers."""
    statement = select(Photo).where(Photo.subject_id == subject_id)
    return fetch_page(session, statement, key=Photo.id, after=after, limit=limit)


def count_embeddings(session: Session, photo_ids: Sequence[int]) -> int:
    """Return how many vectors of the given photos there are, under whatever weights."""
    statement = select(func.count()).where(Embedding.photo_id.in_(photo_ids))
    return session.scalars(statement.select_from(Embedding)).one()


def iterate_photos(session: Session, gallery_id: uuid.UUID) -> Iterator[tuple[Photo, Subject]]:
    """Yield the active photos of a gallery with their people, by number, in constant memory."""
    statement = (
        select(Photo, Subject)
        .join(Subject, Subject.id == Photo.subject_id)
        .where(Photo.gallery_id == gallery_id, Photo.state == PhotoState.ACTIVE)
        .order_by(Photo.id)
        .execution_options(yield_per=1000)
    )
    with session.execute(statement) as rows:
        yield from rows


def attribute_names(session: Session, gallery_id: uuid.UUID) -> list[str]:
    """Return the names of all free attributes that a gallery's people have, sorted."""
    statement = select(Subject.attributes).where(
        Subject.gallery_id == gallery_id, Subject.expunged_at.is_(None)
    )
    names: set[str] = set()
    with session.scalars(statement.execution_options(yield_per=10_000)) as rows:
        for attributes in rows:
            names.update(attributes)
    return sorted(names)
