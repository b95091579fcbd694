"""`/jobs`: how far background work has come, and ending it."""

from __future__ import annotations

import uuid
from typing import Any

from marshmallow import Schema, fields

from db.models import ItemState, Job, JobState
from forensic.cases import jobs
from forensic.web import auth, records
from forensic.web.api.frame import Family, PageQuery, fetch, page_of

family = Family("jobs", "Background work.")


class JobSchema(Schema):
    """One piece of background work."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    state = fields.Enum(JobState, by_value=True, required=True)
    case_id = fields.UUID(required=True, allow_none=True)
    gallery_id = fields.UUID(required=True, allow_none=True)
    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    counts = fields.Dict(required=True)
    progress = fields.Dict(required=True, allow_none=True)
    reason_code = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class ItemQuery(PageQuery):
    """Which items are wanted."""

    state = fields.Enum(ItemState, by_value=True, load_default=None)


class ItemSchema(Schema):
    """One file of an import, and how it ended."""

    position = fields.Integer(required=True)
    name = fields.String(required=True)
    subject_external_id = fields.String(required=True)
    state = fields.Enum(ItemState, by_value=True, required=True)
    reason_code = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


@family.operation("GET", "/cases/<uuid:case_id>/jobs", query=PageQuery, gives=page_of(JobSchema))
def list_of_case(query: dict[str, Any], case_id: uuid.UUID) -> dict[str, Any]:
    """List the work of a case, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: jobs.list_of_case(session, actor, case_id, **options))


@family.operation(
    "GET", "/galleries/<uuid:gallery_id>/jobs", query=PageQuery, gives=page_of(JobSchema)
)
def list_of_gallery(query: dict[str, Any], gallery_id: uuid.UUID) -> dict[str, Any]:
    """List the work on a gallery, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query, lambda **options: jobs.list_of_gallery(session, actor, gallery_id, **options)
    )


@family.operation("GET", "/jobs/<uuid:job_id>", gives=JobSchema)
def get_job(job_id: uuid.UUID) -> Job:
    """Show how far a job has come."""
    return jobs.get(records.session(), auth.current_actor(), job_id)


@family.operation("DELETE", "/jobs/<uuid:job_id>", gives=JobSchema)
def cancel_job(job_id: uuid.UUID) -> Job:
    """Cancel a job that has not ended."""
    return jobs.cancel(records.session(), auth.current_actor(), job_id)


@family.operation("GET", "/jobs/<uuid:job_id>/items", query=ItemQuery, gives=page_of(ItemSchema))
def list_items(query: dict[str, Any], job_id: uuid.UUID) -> dict[str, Any]:
    """List the files of an import in their order, for example the rejected ones."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query,
        lambda **options: jobs.items(session, actor, job_id, **options),
        state=query["state"],
    )
