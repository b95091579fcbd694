"""How long a case is kept: retention, legal hold, and expunging."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from db.errors import Conflict
from db.models import Case, Job
from db.queries import cases as case_rows
from db.queries.rows import Page
from forensic.cases import access, audit, jobs
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action, check
from forensic.errors import RecordConflict


def set_legal_hold(
    session: Session, actor: Actor, case_id: uuid.UUID, *, reason: str | None
) -> Case:
    """Forbid expunging a case, for a reason, or with None allow it again.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        RecordConflict: The case was expunged already.
        RequestRefused: The reason is empty.
    """
    told = None if reason is None else access.required_text(reason, "reason")
    access.get_case(session, actor, case_id, Action.HOLD_CASE)
    with access.plain_errors():
        case = case_rows.set_legal_hold(session, case_id, told)
    tag = audit.Tag.CASE_RELEASED if told is None else audit.Tag.CASE_HELD
    audit.record(session, actor, tag, case_id=case_id, reason=told)
    return case


def due_for_retention(
    session: Session,
    actor: Actor,
    *,
    on: date | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Case]:
    """Return the cases that may no longer be kept: past retention, neither held nor expunged.

    Raises:
        NotPermitted: No role of the actor allows it.
    """
    check(actor, Action.EXPUNGE_CASE)
    with access.plain_errors():
        page = case_rows.list_due_cases(
            session, on or datetime.now(UTC).date(), after=after, limit=limit
        )
    audit.record(session, actor, audit.Tag.RETENTION_LISTED, count=len(page.rows))
    return page


def expunge(session: Session, actor: Actor, case_id: uuid.UUID, *, reason: str) -> Job:
    """Clear what a case holds about people, and have its files deleted.

    The rows are cleared in this transaction; the job deletes the files afterwards and records
    that it has. A killed worker's job is taken up again; one that failed, because the storage was
    away, is repeated by expunging again. Decisions and seals stay as hashes.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case.
        RecordConflict: The case is under legal hold.
        RequestRefused: No reason is given.
    """
    reason = access.required_text(reason, "reason")
    access.get_case(session, actor, case_id, Action.EXPUNGE_CASE)
    try:
        files = case_rows.expunge_case(session, case_id)
    except Conflict as error:
        raise RecordConflict(str(error)) from error
    job = jobs.create(session, actor, jobs.JobKind.EXPUNGE, {}, case_id=case_id)
    audit.record(
        session,
        actor,
        audit.Tag.CASE_EXPUNGED,
        case_id=case_id,
        reason=reason,
        files=sorted(files),
        job_id=job.id,
    )
    return job
