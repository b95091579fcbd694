"""`/galleries`: collections of photos, how they are filled, and the indexes that are searched."""

from __future__ import annotations

import uuid
from typing import Any

from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from db.models import Gallery, GenerationState, Job
from forensic.cases import galleries
from forensic.cases.galleries import GalleryView
from forensic.web import auth, records
from forensic.web.api.frame import (
    TEXT,
    Family,
    PageQuery,
    etag,
    expected_version,
    fetch,
    page_of,
)
from forensic.web.api.jobs import JobSchema
from forensic.web.security import uploads

family = Family("galleries", "Galleries, imports and indexes.")


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
    "GET", "/galleries/<uuid:gallery_id>/indexes", query=PageQuery, gives=page_of(IndexSchema)
)
def list_indexes(query: dict[str, Any], gallery_id: uuid.UUID) -> dict[str, Any]:
    """List the indexes that were built of a gallery, the newest first; one is searched."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query, lambda **options: galleries.list_indexes(session, actor, gallery_id, **options)
    )
