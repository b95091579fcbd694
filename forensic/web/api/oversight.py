"""`/audit`, `/usage`, `/models` and `/system`: what was done, how much, with what, on what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import select

import forensic
from db.migrations import newest_revision
from db.models import GenerationState, IndexGeneration
from db.queries.audit import Anchor, FaultKind, Verification
from db.queries.usage import Usage
from forensic.cases import oversight
from forensic.cases.permissions import Action, check
from forensic.errors import RecordNotFound
from forensic.web import auth, records
from forensic.web.api.frame import Family, PageQuery, fetch, page_of
from forensic.weights.catalogue import WeightsEntry, load_catalogue

family = Family("oversight", "The audit, the models, the system.")


class EventQuery(PageQuery):
    """Which events are wanted."""

    case_id = fields.UUID(load_default=None)
    by = fields.String(load_default=None, validate=validate.Length(1, 100))
    tag = fields.String(load_default=None, validate=validate.Length(1, 100))


class EventSchema(Schema):
    """One thing that happened, sealed by the one before."""

    sequence = fields.Integer(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True)
    tag = fields.String(required=True)
    case_id = fields.UUID(required=True, allow_none=True)
    details = fields.Function(
        lambda event: json.loads(event.payload)["details"],
        required=True,
        metadata={"type": "object"},
    )
    hash = fields.String(required=True)


class AnchorQuery(Schema):
    """A place of the chain as noted earlier."""

    anchor = fields.String(
        load_default=None, validate=validate.Regexp(r"^[1-9][0-9]{0,18}:[0-9a-f]{64}$")
    )


class AuditFaultSchema(Schema):
    """One place where the chain does not hold."""

    sequence = fields.Integer(required=True)
    kind = fields.Enum(FaultKind, by_value=True, required=True)
    detail = fields.String(required=True)


class VerificationSchema(Schema):
    """Whether the audit is as it was written; note `head` elsewhere as the next anchor."""

    is_sound = fields.Boolean(required=True)
    count = fields.Integer(required=True)
    head = fields.Function(
        lambda result: str(result.head) if result.head else None,
        required=True,
        metadata={"type": ["string", "null"]},
    )
    faults = fields.List(fields.Nested(AuditFaultSchema), required=True)


class PeriodQuery(Schema):
    """First and last day of a period, in UTC."""

    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)


class UsageSchema(Schema):
    """How much the service was used, and what came of it; leads, never identifications."""

    cases = fields.Integer(required=True)
    probes = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    renditions = fields.Integer(required=True)
    searches = fields.Integer(required=True)
    searches_completed = fields.Integer(required=True)
    searches_failed = fields.Integer(required=True)
    lists_empty = fields.Integer(required=True)
    lists_reviewed = fields.Integer(required=True)
    lists_with_lead = fields.Integer(required=True)
    candidates = fields.Integer(required=True)
    decisions = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    adjudications = fields.Integer(required=True)
    reports = fields.Integer(required=True)


class ModelSchema(Schema):
    """One trained network that this version knows."""

    name = fields.String(required=True)
    task = fields.String(required=True)
    sha256 = fields.String(required=True)
    bytes = fields.Integer(required=True)
    licence = fields.String(required=True)
    training_data = fields.String(required=True)
    paper = fields.String(required=True)
    origin = fields.String(required=True)
    notes = fields.String(required=True)
    is_bundled = fields.Boolean(required=True)


class ModelsSchema(Schema):
    """All networks."""

    items = fields.List(fields.Nested(ModelSchema), required=True)


class GenerationSchema(Schema):
    """One index that searches use now."""

    gallery_id = fields.UUID(required=True)
    number = fields.Integer(required=True)
    gallery_revision = fields.Integer(required=True)
    kind = fields.String(required=True)
    photo_count = fields.Integer(required=True, allow_none=True)
    measured_recall = fields.Float(required=True, allow_none=True)


class SystemSchema(Schema):
    """What runs here; nothing secret."""

    version = fields.String(required=True)
    schema = fields.String(required=True)
    database = fields.String(required=True)
    device = fields.String(required=True)
    active_indexes = fields.List(fields.Nested(GenerationSchema), required=True)


@family.operation("GET", "/audit", query=EventQuery, gives=page_of(EventSchema))
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    """List what was done, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query,
        lambda **options: oversight.list_events(session, actor, **options),
        case_id=query["case_id"],
        by=query["by"],
        tag=query["tag"],
    )


@family.operation("GET", "/audit/verify", query=AnchorQuery, gives=VerificationSchema)
def verify(query: dict[str, str | None]) -> Verification:
    """Read the whole audit and tell every event that was edited, removed or moved."""
    anchors = [Anchor.parse(query["anchor"])] if query["anchor"] else []
    return oversight.verify(records.session(), auth.current_actor(), anchors=anchors)


@family.operation("GET", "/usage", query=PeriodQuery, gives=UsageSchema)
def get_usage(query: dict[str, Any]) -> Usage:
    """Count cases, searches, lists and outcomes of a period."""
    return oversight.usage(records.session(), auth.current_actor(), **query)


@family.operation("GET", "/models", gives=ModelsSchema)
def list_models() -> dict[str, Sequence[WeightsEntry]]:
    """List the networks with their digests and terms."""
    check(auth.current_actor(), Action.VIEW_MODELS)
    return {"items": sorted(load_catalogue().values(), key=lambda entry: entry.name)}


@family.operation("GET", "/models/<name>", gives=ModelSchema)
def get_model(name: str) -> WeightsEntry:
    """Show one network."""
    check(auth.current_actor(), Action.VIEW_MODELS)
    return _entry(name)


@family.operation("GET", "/system", gives=SystemSchema)
def system() -> dict[str, Any]:
    """Tell versions and the indexes in use."""
    check(auth.current_actor(), Action.VIEW_SYSTEM)
    active = select(IndexGeneration).where(IndexGeneration.state == GenerationState.ACTIVE)
    return {
        "version": forensic.__version__,
        "schema": newest_revision(),
        "database": records.service().engine.dialect.name,
        "device": records.settings().device,
        "active_indexes": records.session().scalars(active).all(),
    }


def _entry(name: str) -> WeightsEntry:
    catalogue = load_catalogue()
    if name not in catalogue:
        raise RecordNotFound("model", name)
    return catalogue[name]
