"""The people of a gallery: their metadata and photos, and taking one out for good."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.models import Gallery, Job, Photo, PhotoState, Subject
from db.queries import held
from db.queries import subjects as subject_rows
from db.queries.rows import Page, get_row
from forensic.cases import access, audit, jobs
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action, check
from forensic.errors import RecordNotFound, RequestRefused
from forensic.images.io import media_type_of
from forensic.storage import FileStore

ATTRIBUTES_MAX = 50
PHOTOS_SHOWN = 1000


@dataclass(frozen=True)
class SubjectView:
    """A person of a gallery and their photos, tombstones included."""

    subject: Subject
    photos: tuple[Photo, ...]


def list_subjects(
    session: Session,
    actor: Actor,
    gallery_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Subject]:
    """Return the subjects of a gallery, tombstones left out.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such gallery.
    """
    check(actor, Action.VIEW_SUBJECTS)
    with access.plain_errors():
        get_row(session, Gallery, gallery_id)
        page = subject_rows.list_subjects(session, gallery_id, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.SUBJECTS_LISTED, gallery_id=gallery_id)
    return page


def get_subject(session: Session, actor: Actor, subject_id: uuid.UUID) -> SubjectView:
    """Return a subject and their photos.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such subject.
    """
    check(actor, Action.VIEW_SUBJECTS)
    with access.plain_errors():
        subject = get_row(session, Subject, subject_id)
        photos = held.list_photos(session, subject_id, limit=PHOTOS_SHOWN).rows
    audit.record(
        session,
        actor,
        audit.Tag.SUBJECT_VIEWED,
        gallery_id=subject.gallery_id,
        subject_id=subject_id,
    )
    return SubjectView(subject, tuple(photos))


def update_subject(
    session: Session,
    actor: Actor,
    subject_id: uuid.UUID,
    *,
    sex: str | None,
    birth_year: int | None,
    attributes: Mapping[str, str],
) -> Subject:
    """Replace the metadata of a subject, as the operator knows it.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such subject, or it was expunged.
        RequestRefused: A value is out of range.
    """
    check(actor, Action.MANAGE_GALLERY)
    if birth_year is not None and not 1850 <= birth_year <= 2200:
        raise RequestRefused("The year of birth is out of range.", field="birth_year")
    if len(attributes) > ATTRIBUTES_MAX:
        raise RequestRefused(f"At most {ATTRIBUTES_MAX} attributes.", field="attributes")
    told = {
        access.required_text(key, "attributes", max_length=100): access.optional_text(
            value, "attributes", max_length=500
        )
        for key, value in attributes.items()
    }
    with access.plain_errors():
        subject = subject_rows.update_subject(
            session,
            subject_id,
            sex=access.optional_text(sex, "sex", max_length=40) or None,
            birth_year=birth_year,
            attributes=told,
        )
    audit.record(
        session,
        actor,
        audit.Tag.SUBJECT_CHANGED,
        gallery_id=subject.gallery_id,
        subject_id=subject_id,
    )
    return subject


def expunge_subject(session: Session, actor: Actor, subject_id: uuid.UUID, *, reason: str) -> Job:
    """Take a person out for good.

    From the commit on no search returns them. The job deletes their files and publishes an index
    without their vectors; one that failed is repeated by expunging again.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such subject.
        RequestRefused: No reason is given.
    """
    check(actor, Action.EXPUNGE_SUBJECT)
    reason = access.required_text(reason, "reason")
    with access.plain_errors():
        subject = get_row(session, Subject, subject_id)
        gone = subject_rows.expunge_subject(session, subject_id)
    job = jobs.create(
        session,
        actor,
        jobs.JobKind.INDEX,
        {"expunged_subject_id": str(subject_id)},
        gallery_id=subject.gallery_id,
    )
    audit.record(
        session,
        actor,
        audit.Tag.SUBJECT_EXPUNGED,
        gallery_id=subject.gallery_id,
        subject_id=subject_id,
        reason=reason,
        photo_ids=list(gone.photo_ids),
        files=gone.file_sha256s,
        job_id=job.id,
    )
    return job


def photo_bytes(
    session: Session, actor: Actor, photo_id: int, *, store: FileStore
) -> tuple[bytes, str]:
    """Return the file of a photo and its media type.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such photo, or it was taken out.
        StorageError: The file is missing or damaged.
    """
    check(actor, Action.VIEW_SUBJECTS)
    with access.plain_errors():
        photo = get_row(session, Photo, photo_id)
    if photo.state is not PhotoState.ACTIVE:
        raise RecordNotFound("photo", photo_id)
    data = store.read(photo.sha256)
    audit.record(
        session,
        actor,
        audit.Tag.PHOTO_VIEWED,
        gallery_id=photo.gallery_id,
        photo_id=photo_id,
    )
    return data, media_type_of(data)
