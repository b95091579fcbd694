"""`/subjects` and `/photos`: the people of a gallery."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from db.models import Job, PhotoState, Subject
from forensic.cases import subjects
from forensic.cases.subjects import SubjectView
from forensic.web import auth, records
from forensic.web.api.frame import Family, PageQuery, Reason, fetch, file_response, page_of
from forensic.web.api.jobs import JobSchema

family = Family("subjects", "The people of galleries, and their photos.")


class SubjectSchema(Schema):
    """One person, under the operator's own identifier; nothing is inferred from photos."""

    id = fields.UUID(required=True)
    gallery_id = fields.UUID(required=True)
    external_id = fields.String(required=True)
    sex = fields.String(required=True, allow_none=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    attributes = fields.Dict(required=True)
    created_at = fields.AwareDateTime(required=True)
    expunged_at = fields.AwareDateTime(required=True, allow_none=True)


class PhotoSchema(Schema):
    """One photo of a person."""

    id = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    source = fields.String(required=True)
    width_px = fields.Integer(required=True)
    height_px = fields.Integer(required=True)
    quality = fields.Dict(required=True)
    state = fields.Enum(PhotoState, by_value=True, required=True)


class SubjectViewSchema(Schema):
    """A person and their photos."""

    subject = fields.Nested(SubjectSchema, required=True)
    photos = fields.List(fields.Nested(PhotoSchema), required=True)


class SubjectChangeSchema(Schema):
    """The whole metadata of a person; what is left out is cleared."""

    sex = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50))
    birth_year = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(1850, 2200)
    )
    attributes = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 100)),
        values=fields.String(validate=validate.Length(max=200)),
        load_default=dict,
        validate=validate.Length(max=subjects.ATTRIBUTES_MAX),
    )


@family.operation(
    "GET",
    "/galleries/<uuid:gallery_id>/subjects",
    query=PageQuery,
    gives=page_of(SubjectSchema),
)
def list_subjects(query: dict[str, Any], gallery_id: uuid.UUID) -> dict[str, Any]:
    """List the people of a gallery."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query, lambda **options: subjects.list_subjects(session, actor, gallery_id, **options)
    )


@family.operation("GET", "/subjects/<uuid:subject_id>", gives=SubjectViewSchema)
def get_subject(subject_id: uuid.UUID) -> SubjectView:
    """Show a person of a gallery."""
    return subjects.get_subject(records.session(), auth.current_actor(), subject_id)


@family.operation(
    "PUT", "/subjects/<uuid:subject_id>", body=SubjectChangeSchema, gives=SubjectSchema
)
def replace_subject(sent: dict[str, Any], subject_id: uuid.UUID) -> Subject:
    """Replace a person's metadata."""
    return subjects.update_subject(records.session(), auth.current_actor(), subject_id, **sent)


@family.operation(
    "POST", "/subjects/<uuid:subject_id>/expunge", body=Reason, gives=JobSchema, status=202
)
def expunge_subject(sent: dict[str, str], subject_id: uuid.UUID) -> Job:
    """Take a person out for good: no search returns them from now on."""
    return subjects.expunge_subject(records.session(), auth.current_actor(), subject_id, **sent)


@family.operation("GET", "/photos/<int:photo_id>/image", gives="image/*")
def get_photo(photo_id: int) -> Response:
    """Return a gallery photo."""
    data, media_type = subjects.photo_bytes(
        records.session(), auth.current_actor(), photo_id, store=records.store()
    )
    return file_response(data, media_type)
