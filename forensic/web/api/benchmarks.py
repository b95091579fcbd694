"""`/benchmarks`: how often the right person is found, measured on known pairs."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from db.models import Job, ProbeKind
from forensic.cases import benchmarks
from forensic.cases.benchmarks import BenchmarkView
from forensic.web import auth, records
from forensic.web.api.frame import Family, PageQuery, fetch, file_response, page_of
from forensic.web.api.jobs import JobSchema
from forensic.web.security import uploads
from forensic.weights.embedders import DEFAULT
from forensic.weights.fusions import BEST

family = Family("benchmarks", "Accuracy on known pairs, with its statistics.")


class NewBenchmarkSchema(Schema):
    """What to measure, and what the sketches are."""

    name = fields.String(required=True, validate=validate.Length(1, 200))
    kind = fields.Enum(ProbeKind, by_value=True, load_default=None)
    methods = fields.List(
        fields.String(validate=validate.Length(1, 100)),
        load_default=lambda: [BEST],
        validate=validate.Length(1, 20),
    )
    embedder = fields.String(load_default=DEFAULT, validate=validate.Length(1, 100))


class PairsSchema(Schema):
    """A ZIP with the folders `photos` and `sketches`; pairs share their file's name."""

    archive = Upload(required=True)


class BenchmarkSchema(Schema):
    """A benchmark and what it gave so far."""

    job = fields.Nested(JobSchema, required=True)
    files = fields.Dict(required=True)
    summary = fields.Dict(required=True)


@family.operation(
    "POST", "/benchmarks", form=(NewBenchmarkSchema, PairsSchema), gives=JobSchema, status=202
)
@uploads("import")
def request_benchmark(fields: dict[str, Any], files: dict[str, Any]) -> tuple[Job, dict[str, str]]:
    """Measure how often the right person is found; a job does it."""
    job = benchmarks.request(
        records.session(),
        auth.current_actor(),
        archive=files["archive"].stream,
        store=records.store(),
        max_bytes=records.settings().import_bytes_max,
        **fields,
    )
    return job, {"Location": f"/api/v1/benchmarks/{job.id}"}


@family.operation("GET", "/benchmarks", query=PageQuery, gives=page_of(JobSchema))
def list_benchmarks(query: dict[str, Any]) -> dict[str, Any]:
    """List benchmarks, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: benchmarks.list_benchmarks(session, actor, **options))


@family.operation("GET", "/benchmarks/<uuid:job_id>", gives=BenchmarkSchema)
def get_benchmark(job_id: uuid.UUID) -> BenchmarkView:
    """Show a benchmark."""
    return benchmarks.get(records.session(), auth.current_actor(), job_id)


@family.operation("GET", "/benchmarks/<uuid:job_id>/files/<name>", gives="*/*")
def get_file(job_id: uuid.UUID, name: str) -> Response:
    """Return one document or plot of a benchmark."""
    data, media_type = benchmarks.file_bytes(
        records.session(), auth.current_actor(), job_id, name, store=records.store()
    )
    return file_response(data, media_type, name=name)
