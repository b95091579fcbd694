"""`/renditions`: faces that generators make from sketches."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from db.models import Job, Rendition
from forensic.cases import renditions
from forensic.web import auth, records
from forensic.web.api.frame import Family, PageQuery, fetch, file_response, page_of
from forensic.web.api.jobs import JobSchema

family = Family("renditions", "Faces made from sketches: enhancements, never evidence.")


class NewRenditionsSchema(Schema):
    """Which generators make a face, from which seed."""

    generators = fields.List(
        fields.String(validate=validate.Length(1, 100)),
        required=True,
        validate=validate.Length(1, renditions.GENERATORS_MAX),
    )
    seed = fields.Integer(load_default=0, validate=validate.Range(0, 2**63 - 1))


class RenditionSchema(Schema):
    """One machine-made face: an enhancement, never evidence."""

    id = fields.UUID(required=True)
    probe_id = fields.UUID(required=True)
    landmark_version_id = fields.UUID(required=True)
    generator = fields.String(required=True)
    weights_sha256 = fields.String(required=True)
    seed = fields.Integer(required=True)
    parameters = fields.Dict(required=True)
    output_sha256 = fields.String(required=True)
    device = fields.String(required=True)
    software_version = fields.String(required=True)
    duration_ms = fields.Float(required=True)
    made_by_id = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)


@family.operation(
    "POST",
    "/probes/<uuid:probe_id>/renditions",
    body=NewRenditionsSchema,
    gives=JobSchema,
    status=202,
)
def request_renditions(sent: dict[str, Any], probe_id: uuid.UUID) -> tuple[Job, dict[str, str]]:
    """Have generators make a face each from a sketch."""
    job = renditions.request(records.session(), auth.current_actor(), probe_id, **sent)
    return job, {"Location": f"/api/v1/jobs/{job.id}"}


@family.operation(
    "GET",
    "/probes/<uuid:probe_id>/renditions",
    query=PageQuery,
    gives=page_of(RenditionSchema),
)
def list_renditions(query: dict[str, Any], probe_id: uuid.UUID) -> dict[str, Any]:
    """List the faces made from a sketch, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query, lambda **options: renditions.list_renditions(session, actor, probe_id, **options)
    )


@family.operation("GET", "/renditions/<uuid:rendition_id>", gives=RenditionSchema)
def get_rendition(rendition_id: uuid.UUID) -> Rendition:
    """Show how a face was made."""
    return renditions.get_rendition(records.session(), auth.current_actor(), rendition_id)


@family.operation("GET", "/renditions/<uuid:rendition_id>/image", gives="image/png")
def get_rendition_image(rendition_id: uuid.UUID) -> Response:
    """Return the face, which says in its own pixels that it is machine-made."""
    data = renditions.image_bytes(
        records.session(), auth.current_actor(), rendition_id, store=records.store()
    )
    return file_response(data, "image/png")
