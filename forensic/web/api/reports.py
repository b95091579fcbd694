"""`/reports`: documents written from a case, as they are handed out."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from db.models import Job, Report, ReportFormat
from forensic.cases import reports
from forensic.web import auth, records
from forensic.web.api.frame import Family, PageQuery, fetch, file_response, page_of
from forensic.web.api.jobs import JobSchema

family = Family("reports", "Documents written from a case.")
FORMATS = [each.value for each in ReportFormat]


class NewReportSchema(Schema):
    """What to write a report as; `zip` holds everything with a manifest of SHA-256."""

    formats = fields.List(
        fields.String(validate=validate.OneOf(FORMATS)),
        load_default=lambda: ["pdf", "html", "zip"],
        validate=validate.Length(1, len(FORMATS)),
    )


class ReportSchema(Schema):
    """One document; never changed."""

    id = fields.UUID(required=True)
    case_id = fields.UUID(required=True)
    written_by_id = fields.UUID(required=True)
    format = fields.Enum(ReportFormat, by_value=True, required=True)
    sha256 = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    contents = fields.Dict(required=True)
    software_version = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


@family.operation(
    "POST", "/cases/<uuid:case_id>/reports", body=NewReportSchema, gives=JobSchema, status=202
)
def request_reports(sent: dict[str, Any], case_id: uuid.UUID) -> tuple[Job, dict[str, str]]:
    """Have reports of a case written, with every candidate and negative results."""
    job = reports.request(records.session(), auth.current_actor(), case_id, **sent)
    return job, {"Location": f"/api/v1/jobs/{job.id}"}


@family.operation(
    "GET", "/cases/<uuid:case_id>/reports", query=PageQuery, gives=page_of(ReportSchema)
)
def list_reports(query: dict[str, Any], case_id: uuid.UUID) -> dict[str, Any]:
    """List the reports of a case, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: reports.list_reports(session, actor, case_id, **options))


@family.operation("GET", "/reports/<uuid:report_id>", gives=ReportSchema)
def get_report(report_id: uuid.UUID) -> Report:
    """Show what a report holds."""
    return reports.get_report(records.session(), auth.current_actor(), report_id)


@family.operation("GET", "/reports/<uuid:report_id>/file", gives="*/*")
def get_file(report_id: uuid.UUID) -> Response:
    """Return a report as it was written; the export is recorded."""
    data, media_type, name = reports.report_bytes(
        records.session(), auth.current_actor(), report_id, store=records.store()
    )
    return file_response(data, media_type, name=name)
