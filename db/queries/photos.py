"""Photos: adding each file once, and taking photos out.

Every change locks the gallery's row first, so imports into one gallery take turns and neither
can see the other's half.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from db.base import new_id
from db.errors import Invalid
from db.models.galleries import NOT_REMOVED, Embedding, Gallery, Photo, PhotoState, Subject
from db.queries.files import hold_files
from db.queries.galleries import next_revision
from db.queries.rows import get_row

BATCH_MAX = 2000


@dataclass(frozen=True)
class NewPhoto:
    """One photo with its embedding, ready to be added.

    Attributes:
        subject_external_id: The operator's identifier of the person.
        sha256: Of the file.
        source: Where the file came from, relative to the import's root.
        size_px: Width and height.
        vector: `dimension` float32 numbers, little-endian, of unit length.
        quality: Whatever the intake measured.
        landmarks: Five [x, y] pairs in pixels.
        crop_sha256: Of the aligned face, where the gallery keeps crops.
        sex: As given by the operator. Like the next two, used only for a new person.
        birth_year: As given by the operator.
        attributes: Free metadata as given by the operator.
    """

    subject_external_id: str
    sha256: str
    source: str
    size_px: tuple[int, int]
    vector: bytes
    quality: Mapping[str, Any]
    landmarks: Sequence[Sequence[float]]
    crop_sha256: str | None = None
    sex: str | None = None
    birth_year: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Added(enum.StrEnum):
    """What became of a photo that was to be added."""

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    """The gallery holds this very file already."""
    EXPUNGED = "expunged"
    """The person or the file was expunged, and must not come back."""


@dataclass(frozen=True)
class AddedPhoto:
    """What became of one photo, and the row that holds it; None where there is none."""

    outcome: Added
    photo_id: int | None


def add_photos(
    session: Session, gallery_id: uuid.UUID, photos: Sequence[NewPhoto]
) -> list[AddedPhoto]:
    """Add photos that the gallery does not hold yet, with their subjects and embeddings.

    May be repeated, and done by several at once: each file ends up in the gallery once.

    Args:
        session: An open session; the gallery stays locked until its transaction ends.
        gallery_id: Which gallery.
        photos: At most 2000.

    Returns:
        What became of each photo, in the same order.

    Raises:
        NotFound: There is no such gallery.
        Invalid: Too many photos at once, or a vector of another length than the gallery's.
    """
    if len(photos) > BATCH_MAX:
        raise Invalid(f"At most {BATCH_MAX} photos are added at once, not {len(photos)}.")
    gallery = get_row(session, Gallery, gallery_id, lock=True)
    hold_files(session)
    if any(len(photo.vector) != 4 * gallery.dimension for photo in photos):
        raise Invalid(f"Gallery {gallery.name!r} holds vectors of {gallery.dimension} float32.")
    subjects = _subjects_of(session, gallery_id, [p.subject_external_id for p in photos])
    known = _photos_of(session, gallery_id, [photo.sha256 for photo in photos])
    fresh: dict[str, NewPhoto] = {}
    for photo in photos:
        subject = subjects.get(photo.subject_external_id)
        is_expunged = subject is not None and subject.expunged_at is not None
        if photo.sha256 not in known and not is_expunged:
            fresh.setdefault(photo.sha256, photo)
    made = _insert(session, gallery, list(fresh.values()), subjects)
    return [_outcome(photo, known, subjects, fresh, made) for photo in photos]


def find_known(
    session: Session, gallery_id: uuid.UUID, files: Sequence[tuple[str, str]]
) -> list[AddedPhoto | None]:
    """Foretell what would become of files, so that no work is spent on those that stay out.

    Args:
        session: An open session; read-only suffices.
        gallery_id: Which gallery.
        files: The SHA-256 of each file and the operator's identifier of its person.

    Returns:
        What `add_photos` would answer, in the same order; None for a file that would be new.
    """
    subjects = _subjects_of(session, gallery_id, [subject for _, subject in files])
    known = _photos_of(session, gallery_id, [sha256 for sha256, _ in files])
    return [_foretold(known.get(sha256), subjects.get(subject)) for sha256, subject in files]


def _foretold(held: Photo | None, subject: Subject | None) -> AddedPhoto | None:
    if held is not None and held.state is PhotoState.EXPUNGED:
        return AddedPhoto(Added.EXPUNGED, None)
    if subject is not None and subject.expunged_at is not None:
        return AddedPhoto(Added.EXPUNGED, None)
    return AddedPhoto(Added.DUPLICATE, held.id) if held is not None else None


def _outcome(
    photo: NewPhoto,
    known: Mapping[str, Photo],
    subjects: Mapping[str, Subject],
    fresh: Mapping[str, NewPhoto],
    made: Mapping[str, int],
) -> AddedPhoto:
    foretold = _foretold(known.get(photo.sha256), subjects.get(photo.subject_external_id))
    if foretold is not None:
        return foretold
    outcome = Added.INDEXED if fresh[photo.sha256] is photo else Added.DUPLICATE
    return AddedPhoto(outcome, made[photo.sha256])


def _insert(
    session: Session,
    gallery: Gallery,
    photos: Sequence[NewPhoto],
    subjects: Mapping[str, Subject],
) -> dict[str, int]:
    """Insert new photos with what belongs to them; return their numbers by content."""
    if not photos:
        return {}
    revision = next_revision(session, gallery.id)
    subject_ids = _insert_subjects(session, gallery, photos, subjects)
    rows = [
        {
            "gallery_id": gallery.id,
            "subject_id": subject_ids[photo.subject_external_id],
            "sha256": photo.sha256,
            "source": photo.source,
            "crop_sha256": photo.crop_sha256,
            "width_px": photo.size_px[0],
            "height_px": photo.size_px[1],
            "quality": dict(photo.quality),
            "landmarks": [list(point) for point in photo.landmarks],
            "added_revision": revision,
        }
        for photo in photos
    ]
    returning = insert(Photo).returning(Photo.id, sort_by_parameter_order=True)
    photo_ids = session.scalars(returning, rows).all()
    embeddings = [
        {
            "photo_id": photo_id,
            "weights_sha256": gallery.weights_sha256,
            "embedder": gallery.embedder,
            "dimension": gallery.dimension,
            "vector": photo.vector,
        }
        for photo_id, photo in zip(photo_ids, photos, strict=True)
    ]
    session.execute(insert(Embedding), embeddings)
    return {photo.sha256: i for photo, i in zip(photos, photo_ids, strict=True)}


def _insert_subjects(
    session: Session,
    gallery: Gallery,
    photos: Sequence[NewPhoto],
    known: Mapping[str, Subject],
) -> dict[str, uuid.UUID]:
    """Insert the people who are new; return the ids of all, by the operator's identifier."""
    subject_ids = {name: subject.id for name, subject in known.items()}
    rows: list[dict[str, Any]] = []
    for photo in photos:
        if photo.subject_external_id in subject_ids:
            continue
        subject_ids[photo.subject_external_id] = subject_id = new_id()
        rows.append(
            {
                "id": subject_id,
                "gallery_id": gallery.id,
                "external_id": photo.subject_external_id,
                "sex": photo.sex,
                "birth_year": photo.birth_year,
                "attributes": dict(photo.attributes),
            }
        )
    if rows:
        session.execute(insert(Subject), rows)
    return subject_ids


def _subjects_of(
    session: Session, gallery_id: uuid.UUID, external_ids: Sequence[str]
) -> dict[str, Subject]:
    statement = select(Subject).where(
        Subject.gallery_id == gallery_id, Subject.external_id.in_(set(external_ids))
    )
    return {subject.external_id: subject for subject in session.scalars(statement)}


def _photos_of(session: Session, gallery_id: uuid.UUID, sha256s: Sequence[str]) -> dict[str, Photo]:
    statement = select(Photo).where(
        Photo.gallery_id == gallery_id,
        Photo.sha256.in_(set(sha256s)),
        NOT_REMOVED,
    )
    return {photo.sha256: photo for photo in session.scalars(statement)}


def take_out(
    session: Session, photo_ids: Sequence[int], *, state: PhotoState, revision: int
) -> None:
    """Delete the embeddings of photos and leave tombstones; the gallery is locked already.

    A tombstone keeps the SHA-256 of file and crop, so that a deletion of files that was cut off
    can be finished.
    """
    session.execute(delete(Embedding).where(Embedding.photo_id.in_(photo_ids)))
    session.execute(
        update(Photo)
        .where(Photo.id.in_(photo_ids))
        .values(
            state=state,
            removed_revision=revision,
            source="",
            quality={},
            landmarks=[],
        )
        .execution_options(synchronize_session="fetch")
    )


def remove_photos(
    session: Session, gallery_id: uuid.UUID, photo_ids: Sequence[int]
) -> Sequence[int]:
    """Take photos out of a gallery and return the numbers of those that were in it.

    The same files may be imported again later, under new numbers.

    Raises:
        NotFound: There is no such gallery.
        Invalid: Too many photos at once.
    """
    if len(photo_ids) > BATCH_MAX:
        raise Invalid(f"At most {BATCH_MAX} photos are removed at once, not {len(photo_ids)}.")
    get_row(session, Gallery, gallery_id, lock=True)
    statement = select(Photo.id).where(
        Photo.gallery_id == gallery_id,
        Photo.id.in_(photo_ids),
        Photo.state == PhotoState.ACTIVE,
    )
    found = session.scalars(statement.order_by(Photo.id)).all()
    if found:
        revision = next_revision(session, gallery_id)
        take_out(session, found, state=PhotoState.REMOVED, revision=revision)
    return found
