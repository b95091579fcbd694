"""`/probes`: sealed sketches, their landmarks, and whether they can be searched with."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from db.models import LandmarkOrigin, LandmarkVersion, Probe, ProbeKind
from forensic.cases import landmarks, probes, suitability
from forensic.cases.suitability import Suitability
from forensic.web import auth, records
from forensic.web.api.frame import (
    TEXT,
    Family,
    PageQuery,
    Reason,
    fetch,
    file_response,
    page_of,
)
from forensic.web.security import uploads

family = Family("probes", "Sketches, their landmarks, and whether they can be searched with.")
POINT = fields.List(
    fields.Float(validate=validate.Range(-1e6, 1e6)), validate=validate.Length(equal=2)
)


class ProbeSchema(Schema):
    """One sketch as it was received, sealed by its SHA-256."""

    id = fields.UUID(required=True)
    case_id = fields.UUID(required=True)
    sketch_sha256 = fields.String(required=True)
    media_type = fields.String(required=True)
    width_px = fields.Integer(required=True)
    height_px = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True)
    kind = fields.Enum(ProbeKind, by_value=True, required=True)
    artist = fields.String(required=True, allow_none=True)
    interviewed_on = fields.Date(required=True, allow_none=True)
    source = fields.String(required=True)
    person_label = fields.String(required=True)
    note = fields.String(required=True)
    sealed_by_id = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    expunged_at = fields.AwareDateTime(required=True, allow_none=True)


class NewProbeSchema(Schema):
    """Where a sketch comes from."""

    kind = fields.Enum(ProbeKind, by_value=True, required=True)
    source = fields.String(required=True, validate=TEXT)
    artist = fields.String(load_default="", validate=TEXT)
    interviewed_on = fields.Date(load_default=None)
    person_label = fields.String(load_default=probes.DEFAULT_PERSON, validate=TEXT)
    note = fields.String(load_default="", validate=TEXT)


class SketchFileSchema(Schema):
    """The file of a sketch: PNG, JPEG, WebP or TIFF."""

    sketch = Upload(required=True)


class LandmarksSchema(Schema):
    """One version of five points; a correction is a new version."""

    id = fields.UUID(required=True)
    number = fields.Integer(required=True)
    points = fields.List(POINT, required=True)
    origin = fields.Enum(LandmarkOrigin, by_value=True, required=True)
    detector = fields.String(required=True, allow_none=True)
    author_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class NewLandmarksSchema(Schema):
    """Five [x, y] in pixels of the sketch: two eyes, nose, two mouth corners, smaller x first."""

    points = fields.List(POINT, required=True, validate=validate.Length(equal=5))
    based_on = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0))


class MeasuresSchema(Schema):
    """What is measured of the drawn face, in the square of 112 pixels round it."""

    eye_distance_px = fields.Float(required=True)
    roll_deg = fields.Float(required=True)
    outside = fields.Float(required=True)
    sharpness = fields.Float(required=True)
    contrast = fields.Float(required=True)


class FindingSchema(Schema):
    """One thing that speaks against a search; a blocking one makes it fail."""

    code = fields.String(required=True)
    is_blocking = fields.Boolean(required=True)
    message = fields.String(required=True)


class QualitySchema(Schema):
    """Whether a sketch can be searched with, and what will weaken the search."""

    is_searchable = fields.Boolean(required=True)
    landmarks = fields.Nested(LandmarksSchema, required=True, allow_none=True)
    measures = fields.Nested(MeasuresSchema, required=True, allow_none=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)
    note = fields.String(required=True)


@family.operation(
    "POST",
    "/cases/<uuid:case_id>/probes",
    form=(NewProbeSchema, SketchFileSchema),
    gives=ProbeSchema,
    status=201,
)
@uploads("sketch")
def seal_probe(
    fields: dict[str, Any], files: dict[str, Any], case_id: uuid.UUID
) -> tuple[Probe, int, dict[str, str]]:
    """Seal a sketch into a case; its landmarks are found by a job.

    The same file again gives the probe that is there, with status 200.
    """
    probe, is_new = probes.seal_probe(
        records.session(),
        auth.current_actor(),
        case_id,
        data=files["sketch"].read(),
        store=records.store(),
        **fields,
    )
    return probe, 201 if is_new else 200, {"Location": f"/api/v1/probes/{probe.id}"}


@family.operation(
    "GET", "/cases/<uuid:case_id>/probes", query=PageQuery, gives=page_of(ProbeSchema)
)
def list_probes(query: dict[str, Any], case_id: uuid.UUID) -> dict[str, Any]:
    """List the sketches of a case."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: probes.list_probes(session, actor, case_id, **options))


@family.operation("GET", "/probes/<uuid:probe_id>", gives=ProbeSchema)
def get_probe(probe_id: uuid.UUID) -> Probe:
    """Show a sketch's record."""
    return probes.get_probe(records.session(), auth.current_actor(), probe_id)


@family.operation("GET", "/probes/<uuid:probe_id>/image", gives="image/*")
def get_sketch(probe_id: uuid.UUID) -> Response:
    """Return the sketch as it was sealed."""
    data, media_type = probes.sketch_bytes(
        records.session(), auth.current_actor(), probe_id, store=records.store()
    )
    return file_response(data, media_type)


@family.operation("POST", "/probes/<uuid:probe_id>/withdraw", body=Reason, gives=ProbeSchema)
def withdraw_probe(sent: dict[str, str], probe_id: uuid.UUID) -> Probe:
    """Mark a sketch as no longer to be searched with; it stays in the record."""
    return probes.withdraw(records.session(), auth.current_actor(), probe_id, **sent)


@family.operation(
    "GET",
    "/probes/<uuid:probe_id>/landmarks",
    query=PageQuery,
    gives=page_of(LandmarksSchema),
)
def list_landmarks(query: dict[str, Any], probe_id: uuid.UUID) -> dict[str, Any]:
    """List every version of a sketch's landmarks, the first one first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query, lambda **options: landmarks.list_versions(session, actor, probe_id, **options)
    )


@family.operation(
    "PATCH",
    "/probes/<uuid:probe_id>/landmarks",
    body=NewLandmarksSchema,
    gives=LandmarksSchema,
)
def place_landmarks(sent: dict[str, Any], probe_id: uuid.UUID) -> LandmarkVersion:
    """Correct the landmarks: adds a version, and keeps the earlier ones.

    `based_on` is the number of the version that was corrected; where someone else has placed a
    newer one meanwhile, the answer is 409.
    """
    return landmarks.place(
        records.session(),
        auth.current_actor(),
        probe_id,
        sent["points"],
        based_on=sent["based_on"],
    )


@family.operation("GET", "/probes/<uuid:probe_id>/quality", gives=QualitySchema)
def get_quality(probe_id: uuid.UUID) -> Suitability:
    """Measure a sketch and its landmarks, and tell what would make a search fail or weaken it.

    The measures foretell no match; whether a sketch is fit to be searched with is an examiner's
    decision.
    """
    return suitability.assess(
        records.session(), auth.current_actor(), probe_id, store=records.store()
    )
