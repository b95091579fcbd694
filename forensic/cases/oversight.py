"""Oversight: reading the audit, proving that nothing in it was changed, and figures of use."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy.orm import Session

from db.models import AuditEvent
from db.queries import audit as events
from db.queries.audit import Anchor, Verification
from db.queries.rows import Page
from db.queries.usage import Usage, count_usage
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action, check
from forensic.errors import RequestRefused


def list_events(
    session: Session,
    actor: Actor,
    *,
    case_id: uuid.UUID | None = None,
    by: str | None = None,
    tag: str | None = None,
    after: int | None = None,
    limit: int = 50,
) -> Page[AuditEvent]:
    """Return events of the audit, newest first; reading them is an event too.

    Args:
        session: An open session that may write.
        actor: Who asks.
        case_id: Only of this case.
        by: Only of this actor: a person's id, `worker`, `command` or `anonymous`.
        tag: Only of this kind.
        after: `next_after` of the page before.
        limit: Number of events, 1 to 1000.

    Raises:
        NotPermitted: No role of the actor allows it.
        RequestRefused: The limit is out of range.
    """
    check(actor, Action.VIEW_AUDIT)
    with access.plain_errors():
        page = events.list_events(
            session, case_id=case_id, actor=by, tag=tag, after=after, limit=limit
        )
    audit.record(session, actor, audit.Tag.AUDIT_VIEWED, of_case=case_id, of_actor=by, of_tag=tag)
    return page


def usage(session: Session, actor: Actor, *, first_on: date, last_on: date) -> Usage:
    """Return how much the service was used in a period, and what came of it.

    Args:
        session: An open session that may write: the look is recorded.
        actor: Who asks.
        first_on: First day of the period, in UTC.
        last_on: Its last day.

    Raises:
        NotPermitted: No role of the actor allows it.
        RequestRefused: The period ends before it begins.
    """
    check(actor, Action.VIEW_AUDIT)
    if last_on < first_on:
        raise RequestRefused("The period ends before it begins.", field="last_on")
    since = datetime.combine(first_on, time(), UTC)
    counted = count_usage(session, since, datetime.combine(last_on, time.max, UTC))
    audit.record(session, actor, audit.Tag.USAGE_VIEWED, first_on=first_on, last_on=last_on)
    return counted


def verify(session: Session, actor: Actor, *, anchors: Sequence[Anchor] = ()) -> Verification:
    """Read the whole chain and return every fault in it.

    Args:
        session: An open session that may write: the check is recorded.
        actor: Who asks.
        anchors: Places of the chain as noted earlier, elsewhere.

    Raises:
        NotPermitted: No role of the actor allows it.
    """
    check(actor, Action.VERIFY_AUDIT)
    found = events.verify(session, anchors=anchors)
    audit.record(
        session,
        actor,
        audit.Tag.AUDIT_VERIFIED,
        count=found.count,
        head=str(found.head) if found.head else None,
        faults=[f"{fault.sequence}: {fault.kind}" for fault in found.faults],
    )
    return found


def details(event: AuditEvent) -> Mapping[str, Any]:
    """Return what an event tells beside who, what, when and which case."""
    told: Mapping[str, Any] = json.loads(event.payload).get("details", {})
    return told
