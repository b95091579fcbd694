"""`/cases`: investigations, who works on them, and how they end."""

from __future__ import annotations

import uuid
from typing import Any

from marshmallow import Schema, fields, validate

from db.models import Case, CaseStatus
from forensic.cases import lifecycle, retention
from forensic.web import auth, records
from forensic.web.api.frame import (
    TEXT,
    Family,
    PageQuery,
    Reason,
    etag,
    expected_version,
    fetch,
    page_of,
)

family = Family("cases", "Investigations.")


class CaseSchema(Schema):
    """One investigation, and why it may search faces at all."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    offence = fields.String(required=True)
    legal_basis = fields.String(required=True)
    purpose = fields.String(required=True)
    status = fields.Enum(CaseStatus, by_value=True, required=True)
    opened_by_id = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    retain_until_on = fields.Date(required=True, allow_none=True)
    legal_hold = fields.Boolean(required=True)
    legal_hold_reason = fields.String(required=True, allow_none=True)
    expunged_at = fields.AwareDateTime(required=True, allow_none=True)


class NewCaseSchema(Schema):
    """A case to open; nothing is searched without a legal basis and a purpose."""

    number = fields.String(required=True, validate=validate.Length(1, 100))
    offence = fields.String(required=True, validate=TEXT)
    legal_basis = fields.String(required=True, validate=TEXT)
    purpose = fields.String(required=True, validate=TEXT)
    retain_until_on = fields.Date(allow_none=True, load_default=None)


class CaseChangeSchema(Schema):
    """What of a case is to change."""

    offence = fields.String(validate=TEXT)
    legal_basis = fields.String(validate=TEXT)
    purpose = fields.String(validate=TEXT)
    retain_until_on = fields.Date(allow_none=True)


class CaseQuery(PageQuery):
    """Which cases are wanted."""

    status = fields.Enum(CaseStatus, by_value=True, load_default=None)


class MemberSchema(Schema):
    """One person who works on a case."""

    user_id = fields.UUID(required=True)
    name = fields.String(required=True)
    full_name = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class MembersSchema(Schema):
    """Everybody who works on a case."""

    items = fields.List(fields.Nested(MemberSchema), required=True)


class EntrySchema(Schema):
    """One thing done in a case."""

    sequence = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    by = fields.String(required=True)
    tag = fields.String(required=True)


class JobReferenceSchema(Schema):
    """The job that does what was asked for."""

    job_id = fields.UUID(required=True)


@family.operation("GET", "/cases", query=CaseQuery, gives=page_of(CaseSchema))
def list_cases(query: dict[str, Any]) -> dict[str, Any]:
    """List the cases that one may see, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query,
        lambda **options: lifecycle.list_cases(session, actor, **options),
        status=query["status"],
    )


@family.operation("POST", "/cases", body=NewCaseSchema, gives=CaseSchema, status=201)
def open_case(sent: dict[str, Any]) -> tuple[Case, dict[str, str]]:
    """Open a case; who opens it is assigned to it."""
    case = lifecycle.open_case(records.session(), auth.current_actor(), **sent)
    return case, {"Location": f"/api/v1/cases/{case.id}", **etag(case.version)}


@family.operation("GET", "/cases/due", query=PageQuery, gives=page_of(CaseSchema))
def list_due(query: dict[str, Any]) -> dict[str, Any]:
    """List the cases that may no longer be kept."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: retention.due_for_retention(session, actor, **options))


@family.operation("GET", "/cases/<uuid:case_id>", gives=CaseSchema)
def get_case(case_id: uuid.UUID) -> tuple[Case, dict[str, str]]:
    """Show a case."""
    case = lifecycle.get_case(records.session(), auth.current_actor(), case_id)
    return case, etag(case.version)


@family.operation(
    "PATCH", "/cases/<uuid:case_id>", body=CaseChangeSchema, gives=CaseSchema, is_versioned=True
)
def change_case(sent: dict[str, Any], case_id: uuid.UUID) -> tuple[Case, dict[str, str]]:
    """Change what a case says."""
    case = lifecycle.update_case(
        records.session(),
        auth.current_actor(),
        case_id,
        expected_version=expected_version(),
        **sent,
    )
    return case, etag(case.version)


@family.operation("POST", "/cases/<uuid:case_id>/close", body=Reason, gives=CaseSchema)
def close_case(sent: dict[str, str], case_id: uuid.UUID) -> Case:
    """Close a case: nothing can be added to it until it is opened again."""
    return lifecycle.close(records.session(), auth.current_actor(), case_id, **sent)


@family.operation("POST", "/cases/<uuid:case_id>/reopen", body=Reason, gives=CaseSchema)
def reopen_case(sent: dict[str, str], case_id: uuid.UUID) -> Case:
    """Open a closed case again."""
    return lifecycle.reopen(records.session(), auth.current_actor(), case_id, **sent)


@family.operation("PUT", "/cases/<uuid:case_id>/legal-hold", body=Reason, gives=CaseSchema)
def hold_case(sent: dict[str, str], case_id: uuid.UUID) -> Case:
    """Forbid expunging a case."""
    return retention.set_legal_hold(records.session(), auth.current_actor(), case_id, **sent)


@family.operation("DELETE", "/cases/<uuid:case_id>/legal-hold", gives=CaseSchema)
def release_case(case_id: uuid.UUID) -> Case:
    """Allow expunging a case again."""
    return retention.set_legal_hold(records.session(), auth.current_actor(), case_id, reason=None)


@family.operation(
    "POST", "/cases/<uuid:case_id>/expunge", body=Reason, gives=JobReferenceSchema, status=202
)
def expunge_case(sent: dict[str, str], case_id: uuid.UUID) -> dict[str, uuid.UUID]:
    """Clear what a case holds about people; a job deletes its files."""
    job = retention.expunge(records.session(), auth.current_actor(), case_id, **sent)
    return {"job_id": job.id}


@family.operation("GET", "/cases/<uuid:case_id>/members", gives=MembersSchema)
def list_members(case_id: uuid.UUID) -> dict[str, Any]:
    """List the people who work on a case."""
    return {"items": lifecycle.list_members(records.session(), auth.current_actor(), case_id)}


@family.operation("PUT", "/cases/<uuid:case_id>/members/<uuid:user_id>")
def assign(case_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Assign a person to a case."""
    lifecycle.assign(records.session(), auth.current_actor(), case_id, user_id)


@family.operation("DELETE", "/cases/<uuid:case_id>/members/<uuid:user_id>")
def unassign(case_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Take a person off a case."""
    lifecycle.unassign(records.session(), auth.current_actor(), case_id, user_id)


@family.operation(
    "GET", "/cases/<uuid:case_id>/timeline", query=PageQuery, gives=page_of(EntrySchema)
)
def timeline(query: dict[str, Any], case_id: uuid.UUID) -> dict[str, Any]:
    """Tell what was done in a case, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: lifecycle.timeline(session, actor, case_id, **options))
