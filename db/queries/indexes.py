"""What an index is built from, what it must leave out, and its generations.

A generation is the gallery at one revision. A search of it leaves out every photo of
`removed_photo_ids` since that revision, and adds those of `iterate_vectors` since then, or the
generation is replaced; either way its answer is the gallery's.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import Conflict
from db.models.galleries import (
    NOT_REMOVED,
    Embedding,
    Gallery,
    GenerationState,
    IndexGeneration,
    Photo,
    PhotoState,
    Subject,
)
from db.queries.rows import Page, fetch_page, get_row

_IDS_PER_STATEMENT = 10_000  # databases limit the parameters of one statement


@dataclass(frozen=True)
class StoredVector:
    """One row of an index: `vector` is float32, little-endian, of unit length."""

    photo_id: int
    subject_id: uuid.UUID
    vector: bytes


def iterate_vectors(
    session: Session, gallery: Gallery, *, after_revision: int = 0, up_to_revision: int
) -> Iterator[StoredVector]:
    """Yield the active photos added in a span of revisions, by number, in constant memory.

    Args:
        session: An open session; read-only suffices.
        gallery: Which gallery; vectors of its own weights only.
        after_revision: Where to begin; 0 for all.
        up_to_revision: The gallery's revision as read before.
    """
    statement = (
        select(Photo.id, Photo.subject_id, Embedding.vector)
        .join(Embedding, Embedding.photo_id == Photo.id)
        .where(
            Photo.gallery_id == gallery.id,
            Photo.state == PhotoState.ACTIVE,
            Photo.added_revision > after_revision,
            Photo.added_revision <= up_to_revision,
            Embedding.weights_sha256 == gallery.weights_sha256,
        )
        .order_by(Photo.id)
        .execution_options(yield_per=1000)
    )
    with session.execute(statement) as rows:  # a reader that stops early frees the cursor
        for photo_id, subject_id, vector in rows:
            yield StoredVector(photo_id, subject_id, vector)


@dataclass(frozen=True)
class HeldPhoto:
    """One active photo, with its vector as it is stored; None where there is none."""

    photo_id: int
    subject_id: uuid.UUID
    added_revision: int
    vector: bytes | None


def iterate_held(session: Session, gallery: Gallery) -> Iterator[HeldPhoto]:
    """Yield every active photo of a gallery by number, in constant memory."""
    statement = (
        select(Photo.id, Photo.subject_id, Photo.added_revision, Embedding.vector)
        .outerjoin(
            Embedding,
            (Embedding.photo_id == Photo.id) & (Embedding.weights_sha256 == gallery.weights_sha256),
        )
        .where(Photo.gallery_id == gallery.id, Photo.state == PhotoState.ACTIVE)
        .order_by(Photo.id)
        .execution_options(yield_per=1000)
    )
    with session.execute(statement) as rows:
        for row in rows:
            yield HeldPhoto(*row)


def replace_vectors(session: Session, gallery: Gallery, vectors: Mapping[int, bytes]) -> None:
    """Put vectors in the place of damaged or missing ones, by photo number.

    Raises:
        NotFound: There is no such gallery.
        Conflict: A photo is gone; seen when the transaction is flushed.
    """
    get_row(session, Gallery, gallery.id, lock=True)
    for photo_id in vectors:
        damaged = session.get(Embedding, (photo_id, gallery.weights_sha256))
        if damaged is not None:
            session.delete(damaged)
    session.flush()  # rows are never changed, only replaced
    session.add_all(
        Embedding(
            photo_id=photo_id,
            weights_sha256=gallery.weights_sha256,
            embedder=gallery.embedder,
            dimension=gallery.dimension,
            vector=vector,
        )
        for photo_id, vector in vectors.items()
    )
    session.flush()


def removed_photo_ids(
    session: Session, gallery_id: uuid.UUID, *, after_revision: int
) -> Sequence[int]:
    """Return the numbers of the photos that were taken out after a revision, in order."""
    statement = select(Photo.id).where(
        Photo.gallery_id == gallery_id, Photo.removed_revision > after_revision
    )
    return session.scalars(statement.order_by(Photo.id)).all()


@dataclass(frozen=True)
class ShownPhoto:
    """One photo that a search may return, and whom it shows."""

    photo_id: int
    sha256: str
    subject_id: uuid.UUID
    external_id: str


def shown_photos(session: Session, photo_ids: Sequence[int]) -> dict[int, ShownPhoto]:
    """Return by number those of the photos that may be returned at this moment."""
    shown: dict[int, ShownPhoto] = {}
    for start in range(0, len(photo_ids), _IDS_PER_STATEMENT):
        statement = (
            select(Photo.id, Photo.sha256, Photo.subject_id, Subject.external_id)
            .join(Subject, Subject.id == Photo.subject_id)
            .where(
                Photo.id.in_(photo_ids[start : start + _IDS_PER_STATEMENT]),
                Photo.state == PhotoState.ACTIVE,
                Subject.expunged_at.is_(None),
            )
        )
        shown |= {row[0]: ShownPhoto(*row) for row in session.execute(statement)}
    return shown


def held_sha256s(session: Session, gallery_id: uuid.UUID, sha256s: Sequence[str]) -> set[str]:
    """Return those of the files that are active photos of a gallery."""
    statement = select(Photo.sha256).where(
        Photo.gallery_id == gallery_id,
        Photo.sha256.in_(sha256s),
        NOT_REMOVED,
        Photo.state == PhotoState.ACTIVE,
    )
    return set(session.scalars(statement))


def begin_generation(
    session: Session,
    gallery_id: uuid.UUID,
    *,
    kind: str,
    parameters: Mapping[str, Any],
) -> IndexGeneration:
    """Announce an index of the gallery as it is now, and number it.

    Raises:
        NotFound: There is no such gallery.
    """
    gallery = get_row(session, Gallery, gallery_id, lock=True)
    last = session.scalar(
        select(func.max(IndexGeneration.number)).where(IndexGeneration.gallery_id == gallery_id)
    )
    generation = IndexGeneration(
        gallery_id=gallery_id,
        number=(last or 0) + 1,
        gallery_revision=gallery.revision,
        kind=kind,
        parameters=dict(parameters),
    )
    session.add(generation)
    session.flush()
    return generation


def activate_generation(
    session: Session,
    generation_id: uuid.UUID,
    *,
    photo_count: int,
    manifest_sha256: str,
    measured_recall: float | None = None,
) -> IndexGeneration:
    """Make a finished index the one that is searched, and retire the one before.

    Raises:
        NotFound: There is no such generation.
        Conflict: It is not being built any more, or a newer state of the gallery is active.
    """
    generation = get_row(session, IndexGeneration, generation_id)
    get_row(session, Gallery, generation.gallery_id, lock=True)
    session.refresh(generation)
    if generation.state is not GenerationState.BUILDING:
        raise Conflict(f"Generation {generation.number} is {generation.state}, not being built.")
    active = find_active_generation(session, generation.gallery_id)
    if active is not None:
        if active.gallery_revision > generation.gallery_revision:
            raise Conflict(f"Generation {active.number} holds a newer state of the gallery.")
        active.state = GenerationState.RETIRED
        session.flush()  # before the other becomes active: there is never more than one
    generation.photo_count = photo_count
    generation.manifest_sha256 = manifest_sha256
    generation.measured_recall = measured_recall
    generation.state, generation.activated_at = GenerationState.ACTIVE, utc_now()
    session.flush()
    return generation


def fail_generation(session: Session, generation_id: uuid.UUID) -> IndexGeneration:
    """Give up a generation that was being built; any other stays as it is.

    Raises:
        NotFound: There is no such generation.
    """
    generation = get_row(session, IndexGeneration, generation_id, lock=True)
    if generation.state is GenerationState.BUILDING:
        generation.state = GenerationState.FAILED
    session.flush()
    return generation


def find_active_generation(session: Session, gallery_id: uuid.UUID) -> IndexGeneration | None:
    """Return the generation that is searched now; None before the first one."""
    statement = select(IndexGeneration).where(
        IndexGeneration.gallery_id == gallery_id,
        IndexGeneration.state == GenerationState.ACTIVE,
    )
    return session.scalars(statement).one_or_none()


def active_generations(
    session: Session, gallery_id: uuid.UUID | None = None
) -> Sequence[IndexGeneration]:
    """Return the generations that are searched now: of one gallery, or of all."""
    statement = select(IndexGeneration).where(IndexGeneration.state == GenerationState.ACTIVE)
    if gallery_id is not None:
        statement = statement.where(IndexGeneration.gallery_id == gallery_id)
    return session.scalars(statement.order_by(IndexGeneration.id)).all()


def building_generations(session: Session, gallery_id: uuid.UUID) -> Sequence[IndexGeneration]:
    """Return the generations that are being built, or whose builder was killed."""
    statement = select(IndexGeneration).where(
        IndexGeneration.gallery_id == gallery_id,
        IndexGeneration.state == GenerationState.BUILDING,
    )
    return session.scalars(statement.order_by(IndexGeneration.number)).all()


def list_generations(
    session: Session, gallery_id: uuid.UUID, *, after: int | None = None, limit: int = 50
) -> Page[IndexGeneration]:
    """Return the generations of a gallery, newest first."""
    statement = select(IndexGeneration).where(IndexGeneration.gallery_id == gallery_id)
    return fetch_page(
        session,
        statement,
        key=IndexGeneration.number,
        after=after,
        limit=limit,
        descending=True,
    )
