"""Subjects: reading, filtering by metadata, expunging."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import NotFound
from db.models.galleries import Gallery, Photo, PhotoState, Subject
from db.models.jobs import ItemState, Job, JobItem
from db.queries.files import free_files
from db.queries.galleries import next_revision
from db.queries.photos import take_out
from db.queries.rows import Page, fetch_page, get_row

_NAME_OF_EXPUNGED = "(expunged)"


@dataclass(frozen=True)
class Expunged:
    """What was taken out.

    Attributes:
        photo_ids: The numbers that no search may return any more.
        file_sha256s: Files and crops to delete; no other record holds one of them, or can begin
            to before the transaction ends.
    """

    photo_ids: tuple[int, ...]
    file_sha256s: frozenset[str]


@dataclass(frozen=True)
class SubjectFilter:
    """Which subjects a search may return, by metadata that the operator gave.

    Attributes:
        sex: Exactly as given at import.
        birth_years: First and last year; either may be None.
        attributes: Name to value, all of which must agree.
        keep_unknown: Whether a subject passes whose metadata says nothing: the person sought may
            be one of them.
    """

    sex: str | None = None
    birth_years: tuple[int | None, int | None] = (None, None)
    attributes: Mapping[str, str] = field(default_factory=dict)
    keep_unknown: bool = True


def find_subject(session: Session, gallery_id: uuid.UUID, external_id: str) -> Subject | None:
    """Return the subject with the operator's identifier, a tombstone included."""
    statement = select(Subject).where(
        Subject.gallery_id == gallery_id, Subject.external_id == external_id
    )
    return session.scalars(statement).one_or_none()


def list_subjects(
    session: Session, gallery_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Subject]:
    """Return the subjects of a gallery, tombstones left out, in the order of their addition."""
    statement = select(Subject).where(
        Subject.gallery_id == gallery_id, Subject.expunged_at.is_(None)
    )
    return fetch_page(session, statement, key=Subject.id, after=after, limit=limit)


def iterate_photo_ids(
    session: Session, gallery_id: uuid.UUID, wanted: SubjectFilter
) -> Iterator[int]:
    """Yield, in order, the numbers of the photos whose subjects pass a filter."""
    statement = (
        select(Photo.id)
        .join(Subject, Subject.id == Photo.subject_id)
        .where(
            Photo.gallery_id == gallery_id,
            Photo.state == PhotoState.ACTIVE,
            *_conditions(wanted),
        )
        .order_by(Photo.id)
        .execution_options(yield_per=10_000)
    )
    with session.scalars(statement) as numbers:
        yield from numbers


def _conditions(wanted: SubjectFilter) -> Iterator[ColumnElement[bool]]:
    def unless_unknown(
        column: ColumnElement[Any], condition: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        return or_(column.is_(None), condition) if wanted.keep_unknown else condition

    first, last = wanted.birth_years
    if wanted.sex is not None:
        yield unless_unknown(Subject.sex.expression, Subject.sex == wanted.sex)
    if first is not None:
        yield unless_unknown(Subject.birth_year.expression, Subject.birth_year >= first)
    if last is not None:
        yield unless_unknown(Subject.birth_year.expression, Subject.birth_year <= last)
    for name, value in sorted(wanted.attributes.items()):
        told = Subject.attributes[name].as_string()
        yield unless_unknown(told, told == value)


def update_subject(
    session: Session,
    subject_id: uuid.UUID,
    *,
    sex: str | None,
    birth_year: int | None,
    attributes: Mapping[str, Any],
) -> Subject:
    """Replace the metadata of a subject.

    Raises:
        NotFound: There is no such subject, or it was expunged.
    """
    subject = get_row(session, Subject, subject_id, lock=True)
    if subject.expunged_at is not None:
        raise NotFound("subject", subject_id)
    subject.sex, subject.birth_year = sex, birth_year
    subject.attributes = dict(attributes)
    session.flush()
    return subject


def expunge_subject(session: Session, subject_id: uuid.UUID) -> Expunged:
    """Take a person out for good: vectors, photos and metadata go, tombstones stay.

    From the end of the transaction on, `db.queries.indexes.removed_photo_ids` names the photos
    for every generation of the index. Expunging again returns the same photos, so that a crash
    between this and the deletion of files can be mended.

    Raises:
        NotFound: There is no such subject.
    """
    subject = get_row(session, Subject, subject_id)
    get_row(session, Gallery, subject.gallery_id, lock=True)
    photos = session.scalars(select(Photo).where(Photo.subject_id == subject_id)).all()
    files = {sha256 for p in photos for sha256 in (p.sha256, p.crop_sha256) if sha256}
    photo_ids = sorted(photo.id for photo in photos)
    if subject.expunged_at is None:
        subject.sex, subject.birth_year, subject.attributes = None, None, {}
        subject.expunged_at = utc_now()
        revision = next_revision(session, subject.gallery_id)
        take_out(session, photo_ids, state=PhotoState.EXPUNGED, revision=revision)
        _clear_import_records(session, subject)
    session.flush()
    return Expunged(tuple(photo_ids), free_files(session, frozenset(files)))


def _clear_import_records(session: Session, subject: Subject) -> None:
    """Forget the file names and metadata that ended imports of the person still tell."""
    imports = select(Job.id).where(Job.gallery_id == subject.gallery_id)
    session.execute(
        update(JobItem)
        .where(
            JobItem.job_id.in_(imports),
            JobItem.subject_external_id == subject.external_id,
            JobItem.state != ItemState.PENDING,
        )
        .values(name=_NAME_OF_EXPUNGED, subject_metadata={}, detail=None)
        .execution_options(synchronize_session="fetch")
    )
