"""`/galleries`, `/subjects`, `/photos`: who can be found, and how they came to be there."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from db.models import Gallery, GenerationState, Job, PhotoState, Subject
from forensic.cases import galleries
from forensic.cases.galleries import GalleryView, SubjectView
from forensic.web import auth, records
from forensic.web.api.frame import (
    TEXT,
    Family,
    PageQuery,
    Reason,
    etag,
    expected_version,
    fetch,
    file_response,
    page_of,
)
from forensic.web.api.jobs import JobSchema
from forensic.web.security import uploads

family = Family("galleries", "Galleries, their subjects and photos, imports and indexes.")


class GallerySchema(Schema):
    """One collection of photos, bound to one embedder."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    purpose = fields.String(required=True)
    embedder = fields.String(required=True)
    weights_sha256 = fields.String(required=True)
    dimension = fields.Integer(required=True)
    policy = fields.Dict(required=True)
    revision = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)


class NewGallerySchema(Schema):
    """A gallery to make."""

    name = fields.String(required=True, validate=validate.Length(1, 100))
    purpose = fields.String(required=True, validate=TEXT)
    embedder = fields.String(required=True, validate=validate.Length(1, 100))
    policy = fields.Dict(keys=fields.String(), load_default=dict)


class GalleryChangeSchema(Schema):
    """What of a gallery is to change."""

    purpose = fields.String(validate=TEXT)
    policy = fields.Dict(keys=fields.String())


class IndexSchema(Schema):
    """One index built from a gallery at one revision."""

    id = fields.UUID(required=True)
    number = fields.Integer(required=True)
    gallery_revision = fields.Integer(required=True)
    kind = fields.String(required=True)
    photo_count = fields.Integer(required=True, allow_none=True)
    measured_recall = fields.Float(required=True, allow_none=True)
    state = fields.Enum(GenerationState, by_value=True, required=True)
    created_at = fields.AwareDateTime(required=True)
    activated_at = fields.AwareDateTime(required=True, allow_none=True)


class GalleryViewSchema(Schema):
    """A gallery, its size, and the index that is searched."""

    gallery = fields.Nested(GallerySchema, required=True)
    photo_count = fields.Integer(required=True)
    generation = fields.Nested(IndexSchema, required=True, allow_none=True)


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
        validate=validate.Length(max=galleries.ATTRIBUTES_MAX),
    )


class ImportSchema(Schema):
    """Whether the name of a file or of its folder tells whose photo it is."""

    subject_from = fields.String(load_default="file", validate=validate.OneOf(["file", "folder"]))


class ArchiveSchema(Schema):
    """A ZIP of photos."""

    archive = Upload(required=True)


@family.operation("GET", "/galleries", query=PageQuery, gives=page_of(GallerySchema))
def list_galleries(query: dict[str, Any]) -> dict[str, Any]:
    """List galleries."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: galleries.list_galleries(session, actor, **options))


@family.operation("POST", "/galleries", body=NewGallerySchema, gives=GallerySchema, status=201)
def create_gallery(sent: dict[str, Any]) -> tuple[Gallery, dict[str, str]]:
    """Make an empty gallery."""
    made = galleries.create_gallery(records.session(), auth.current_actor(), **sent)
    return made, {"Location": f"/api/v1/galleries/{made.id}", **etag(made.version)}


@family.operation("GET", "/galleries/<uuid:gallery_id>", gives=GalleryViewSchema)
def get_gallery(gallery_id: uuid.UUID) -> tuple[GalleryView, dict[str, str]]:
    """Show a gallery."""
    view = galleries.get_gallery(records.session(), auth.current_actor(), gallery_id)
    return view, etag(view.gallery.version)


@family.operation(
    "PATCH",
    "/galleries/<uuid:gallery_id>",
    body=GalleryChangeSchema,
    gives=GallerySchema,
    is_versioned=True,
)
def change_gallery(sent: dict[str, Any], gallery_id: uuid.UUID) -> tuple[Gallery, dict[str, str]]:
    """Change what a gallery is for, or what it takes in."""
    changed = galleries.update_gallery(
        records.session(),
        auth.current_actor(),
        gallery_id,
        expected_version=expected_version(),
        **sent,
    )
    return changed, etag(changed.version)


@family.operation(
    "POST",
    "/galleries/<uuid:gallery_id>/imports",
    form=(ImportSchema, ArchiveSchema),
    gives=JobSchema,
    status=202,
)
@uploads("import")
def request_import(
    fields: dict[str, Any], files: dict[str, Any], gallery_id: uuid.UUID
) -> tuple[Job, dict[str, str]]:
    """Import a ZIP of photos; a job does it, and its items tell what was rejected."""
    job = galleries.request_import(
        records.session(),
        auth.current_actor(),
        gallery_id,
        archive=files["archive"].stream,
        store=records.store(),
        max_bytes=records.settings().import_bytes_max,
        **fields,
    )
    return job, {"Location": f"/api/v1/jobs/{job.id}"}


@family.operation("POST", "/galleries/<uuid:gallery_id>/indexes", gives=JobSchema, status=202)
def request_index(gallery_id: uuid.UUID) -> tuple[Job, dict[str, str]]:
    """Build a gallery's index anew and let searches use it once it is whole."""
    job = galleries.request_index(records.session(), auth.current_actor(), gallery_id)
    return job, {"Location": f"/api/v1/jobs/{job.id}"}


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
        query, lambda **options: galleries.list_subjects(session, actor, gallery_id, **options)
    )


@family.operation("GET", "/subjects/<uuid:subject_id>", gives=SubjectViewSchema)
def get_subject(subject_id: uuid.UUID) -> SubjectView:
    """Show a person of a gallery."""
    return galleries.get_subject(records.session(), auth.current_actor(), subject_id)


@family.operation(
    "PUT", "/subjects/<uuid:subject_id>", body=SubjectChangeSchema, gives=SubjectSchema
)
def replace_subject(sent: dict[str, Any], subject_id: uuid.UUID) -> Subject:
    """Replace a person's metadata."""
    return galleries.update_subject(records.session(), auth.current_actor(), subject_id, **sent)


@family.operation(
    "POST", "/subjects/<uuid:subject_id>/expunge", body=Reason, gives=JobSchema, status=202
)
def expunge_subject(sent: dict[str, str], subject_id: uuid.UUID) -> Job:
    """Take a person out for good: no search returns them from now on."""
    return galleries.expunge_subject(records.session(), auth.current_actor(), subject_id, **sent)


@family.operation("GET", "/photos/<int:photo_id>/image", gives="image/*")
def get_photo(photo_id: int) -> Response:
    """Return a gallery photo."""
    data, media_type = galleries.photo_bytes(
        records.session(), auth.current_actor(), photo_id, store=records.store()
    )
    return file_response(data, media_type)
