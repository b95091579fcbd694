"""The life of a case: opening, its people, changes, closing, and what was done in it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from db.errors import NotFound
from db.models import Case, CaseStatus, Role
from db.queries import audit as events
from db.queries import cases as case_rows
from db.queries import users as user_rows
from db.queries.rows import Page
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action, check, member_id
from forensic.errors import RecordConflict, RequestRefused, StaleRecord

EDITABLE = ("offence", "legal_basis", "purpose", "retain_until_on")
QUIET_ACTIONS = frozenset({"view", "list"})
"""Kinds of events that a case's timeline leaves out; the audit has them."""


@dataclass(frozen=True)
class Member:
    """One person assigned to a case."""

    user_id: uuid.UUID
    name: str
    full_name: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class TimelineEntry:
    """One thing done in a case; the audit holds its details."""

    sequence: int
    at: datetime
    by: str
    tag: str


def open_case(
    session: Session,
    actor: Actor,
    *,
    number: str,
    offence: str,
    legal_basis: str,
    purpose: str,
    retain_until_on: date | None = None,
) -> Case:
    """Open a case and assign it to the person who opens it.

    Raises:
        NotPermitted: No role of the actor allows it.
        RequestRefused: A field is empty or too long, or the date is past.
        RecordConflict: The number is taken.
    """
    check(actor, Action.OPEN_CASE)
    fields = {
        "number": access.required_text(number, "number", max_length=100),
        "offence": access.required_text(offence, "offence"),
        "legal_basis": access.required_text(legal_basis, "legal_basis"),
        "purpose": access.required_text(purpose, "purpose"),
    }
    _check_retention(retain_until_on)
    if case_rows.find_case(session, fields["number"]) is not None:
        raise RecordConflict(f"There is a case {fields['number']!r} already.")
    case = case_rows.open_case(
        session, **fields, opened_by_id=access.user_id(actor), retain_until_on=retain_until_on
    )
    audit.record(session, actor, audit.Tag.CASE_OPENED, case_id=case.id, **fields)
    return case


def get_case(session: Session, actor: Actor, case_id: uuid.UUID) -> Case:
    """Return a case that the actor may see.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
    """
    case = access.get_case(session, actor, case_id, Action.VIEW_CASE)
    audit.record(session, actor, audit.Tag.CASE_VIEWED, case_id=case_id)
    return case


def list_cases(
    session: Session,
    actor: Actor,
    *,
    status: CaseStatus | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Case]:
    """Return the cases that the actor may see, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
        RequestRefused: The limit is out of range.
    """
    whose = member_id(actor, Action.VIEW_CASE)
    with access.plain_errors():
        page = case_rows.list_cases(
            session, member_id=whose, status=status, after=after, limit=limit
        )
    audit.record(session, actor, audit.Tag.CASES_LISTED, status=status, count=len(page.rows))
    return page


def update_case(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    expected_version: int | None = None,
    **changes: str | date | None,
) -> Case:
    """Change what a case says: any of `offence`, `legal_basis`, `purpose`, `retain_until_on`.

    Args:
        session: An open session that may write.
        actor: Who asks.
        case_id: Which case.
        expected_version: The version that the person saw; None does not ask.
        changes: New values by field.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        CaseClosed: It is closed.
        StaleRecord: Someone else has changed it meanwhile.
        RequestRefused: A field is unknown, empty or too long.
    """
    case = access.get_case(session, actor, case_id, Action.EDIT_CASE, is_change=True)
    if expected_version is not None and case.version != expected_version:
        raise StaleRecord("The case was changed by someone else meanwhile; read it again.")
    before, after = {}, {}
    for field, value in changes.items():
        if field not in EDITABLE:
            raise RequestRefused(f"{field!r} cannot be changed.", field=field)
        if field == "retain_until_on":
            _check_retention(value)
        else:
            value = access.required_text(str(value or ""), field)
        if getattr(case, field) != value:
            before[field], after[field] = getattr(case, field), value
            setattr(case, field, value)
    session.flush()
    audit.record(
        session, actor, audit.Tag.CASE_CHANGED, case_id=case_id, before=before, after=after
    )
    return case


def list_members(session: Session, actor: Actor, case_id: uuid.UUID) -> Sequence[Member]:
    """Return the people assigned to a case, in the order of assignment.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
    """
    access.get_case(session, actor, case_id, Action.VIEW_CASE)
    people = [user_rows.get_user(session, i) for i in case_rows.list_members(session, case_id)]
    return [
        Member(user.id, user.name, user.full_name, user_rows.list_roles(session, user.id))
        for user in people
    ]


def assign(session: Session, actor: Actor, case_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Assign a person to a case; one who is assigned stays so.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        RecordNotFound: There is no such person.
        RequestRefused: The person may not sign in any more, or has no role in cases.
    """
    access.get_case(session, actor, case_id, Action.ASSIGN)
    with access.plain_errors():
        user = user_rows.get_user(session, user_id)
    roles = user_rows.list_roles(session, user_id)
    if not user.is_active or not roles & {Role.INVESTIGATOR, Role.EXAMINER}:
        raise RequestRefused(
            "Only active investigators and examiners can be assigned to a case.", field="user_id"
        )
    case_rows.assign(session, case_id, user_id, assigned_by_id=access.user_id(actor))
    audit.record(session, actor, audit.Tag.MEMBER_ASSIGNED, case_id=case_id, user_id=user_id)


def unassign(session: Session, actor: Actor, case_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Take a person off a case; the last one stays, else nobody could see it.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        RecordConflict: The person is the last one.
    """
    access.get_case(session, actor, case_id, Action.ASSIGN)
    if list(case_rows.list_members(session, case_id)) == [user_id]:
        raise RecordConflict("The last person cannot be taken off a case; assign another first.")
    case_rows.unassign(session, case_id, user_id)
    audit.record(session, actor, audit.Tag.MEMBER_UNASSIGNED, case_id=case_id, user_id=user_id)


def close(session: Session, actor: Actor, case_id: uuid.UUID, *, reason: str) -> Case:
    """Close a case: nothing can be added to it until it is opened again.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        RequestRefused: No reason is given.
    """
    reason = access.required_text(reason, "reason")
    access.get_case(session, actor, case_id, Action.CLOSE_CASE)
    case = case_rows.close_case(session, case_id)
    audit.record(session, actor, audit.Tag.CASE_CLOSED, case_id=case_id, reason=reason)
    return case


def reopen(session: Session, actor: Actor, case_id: uuid.UUID, *, reason: str) -> Case:
    """Open a closed case again.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        RecordConflict: Its content was expunged.
        RequestRefused: No reason is given.
    """
    reason = access.required_text(reason, "reason")
    access.get_case(session, actor, case_id, Action.CLOSE_CASE)
    with access.plain_errors():
        case = case_rows.reopen_case(session, case_id)
    audit.record(session, actor, audit.Tag.CASE_REOPENED, case_id=case_id, reason=reason)
    return case


def timeline(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    after: int | None = None,
    limit: int = 50,
) -> Page[TimelineEntry]:
    """Return what was done in a case, newest first, without views and without details.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
    """
    access.get_case(session, actor, case_id, Action.VIEW_CASE)
    entries: list[TimelineEntry] = []
    names: dict[str, str] = {}
    while True:
        page = events.list_events(session, case_id=case_id, after=after, limit=200)
        for event in page.rows:
            if event.tag.rpartition(":")[2] in QUIET_ACTIONS:
                continue
            if len(entries) == limit:
                return Page(entries, entries[-1].sequence)
            if event.actor not in names:
                names[event.actor] = _name_of(session, event.actor)
            entries.append(
                TimelineEntry(event.sequence, event.recorded_at, names[event.actor], event.tag)
            )
        if page.next_after is None:
            return Page(entries, None)
        after = page.next_after


def _name_of(session: Session, actor: str) -> str:
    """Return the name behind an actor of the audit."""
    try:
        return user_rows.get_user(session, uuid.UUID(actor)).full_name
    except (ValueError, NotFound):  # the service itself
        return actor


def _check_retention(value: object) -> None:
    if value is not None and (not isinstance(value, date) or value < _today()):
        raise RequestRefused("The end of retention must be a day to come.", field="retain_until_on")


def _today() -> date:
    return datetime.now(UTC).date()
