"""Background work as people see it: asking for it, watching it, cancelling it.

A job is a row first. `create` also notes it in the session, so that the owner of the transaction
can hand it to the queue once it is committed; a job that nobody hands over is found by the worker.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from db.models import ItemState, Job, JobItem
from db.queries import job_items as item_rows
from db.queries import jobs as job_rows
from db.queries.rows import Page, get_row
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.permissions import RULES, Action, check, may
from forensic.errors import CaseNotFound, RecordNotFound

CREATED = "forensic.created_jobs"
"""Key of `Session.info` under which the jobs made in a session are noted."""


class JobKind(enum.StrEnum):
    """Everything that the worker can do."""

    LANDMARKS = "landmarks"
    RENDITIONS = "renditions"
    SEARCH = "search"
    REPORT = "report"
    EXPUNGE = "expunge"
    IMPORT = "import"
    INDEX = "index"
    BENCHMARK = "benchmark"


def create(
    session: Session,
    actor: Actor,
    kind: JobKind,
    parameters: Mapping[str, Any],
    *,
    case_id: uuid.UUID | None = None,
    gallery_id: uuid.UUID | None = None,
) -> Job:
    """Make a job, to be queued after the commit; the caller has checked the permission."""
    told = {**parameters, "request_id": actor.request_id}
    job = job_rows.create_job(
        session,
        kind=kind.value,
        parameters=told,
        requested_by_id=actor.user_id,
        case_id=case_id,
        gallery_id=gallery_id,
    )
    session.info.setdefault(CREATED, []).append((job.kind, job.id))
    return job


def get(session: Session, actor: Actor, job_id: uuid.UUID) -> Job:
    """Return one job.

    Raises:
        NotPermitted: Nobody has signed in.
        RecordNotFound: There is no such job, or it is other people's.
    """
    job = _visible(session, actor, job_id)
    audit.record(session, actor, audit.Tag.JOB_VIEWED, case_id=job.case_id, job_id=job.id)
    return job


def watch(session: Session, actor: Actor, job_id: uuid.UUID) -> Job:
    """Return one job without a word to the audit, for pages that ask every second.

    Raises:
        NotPermitted: Nobody has signed in.
        RecordNotFound: There is no such job, or it is other people's.
    """
    return _visible(session, actor, job_id)


def list_of_case(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Job]:
    """Return the jobs of a case, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
    """
    check(actor, Action.VIEW_JOB)
    access.get_case(session, actor, case_id, Action.VIEW_CASE)
    with access.plain_errors():
        page = job_rows.list_jobs(session, case_id=case_id, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.JOBS_LISTED, case_id=case_id)
    return page


def list_of_gallery(
    session: Session,
    actor: Actor,
    gallery_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Job]:
    """Return the imports and other work of a gallery, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
    """
    check(actor, Action.VIEW_JOB)
    check(actor, Action.VIEW_SUBJECTS)
    with access.plain_errors():
        page = job_rows.list_jobs(session, gallery_id=gallery_id, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.JOBS_LISTED, gallery_id=gallery_id)
    return page


def items(
    session: Session,
    actor: Actor,
    job_id: uuid.UUID,
    *,
    state: ItemState | None = None,
    after: int | None = None,
    limit: int = 50,
) -> Page[JobItem]:
    """Return the items of an import in their order, of one state where given.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such job, or it is other people's.
    """
    job = _visible(session, actor, job_id)
    if job.gallery_id is not None:
        check(actor, Action.VIEW_SUBJECTS)
    with access.plain_errors():
        page = item_rows.list_items(session, job_id, state=state, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.JOB_ITEMS_VIEWED, job_id=job_id, state=state)
    return page


def cancel(session: Session, actor: Actor, job_id: uuid.UUID) -> Job:
    """Cancel a job that has not ended; its worker stops at the next step.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such job, or it is other people's.
        RecordConflict: It has ended, or it is one that must be finished.
    """
    check(actor, Action.CANCEL_JOB)
    job = _visible(session, actor, job_id)
    if job.kind == JobKind.EXPUNGE:
        check(actor, Action.EXPUNGE_CASE)
    if job.gallery_id is not None:
        check(actor, Action.MANAGE_GALLERY)
    with access.plain_errors():
        job = job_rows.cancel_job(session, job_id)
    audit.record(
        session, actor, audit.Tag.JOB_CANCELLED, case_id=job.case_id, job_id=job.id, kind=job.kind
    )
    return job


def _visible(session: Session, actor: Actor, job_id: uuid.UUID) -> Job:
    """Return a job of the actor's own cases, of a gallery for its managers, or their own."""
    check(actor, Action.VIEW_JOB)
    with access.plain_errors():
        job = get_row(session, Job, job_id)
    is_unbound = actor.is_system or bool(actor.roles & RULES[Action.VIEW_JOB].unbound)
    if is_unbound or (job.case_id is None and job.requested_by_id == actor.user_id):
        return job
    if job.case_id is not None and may(actor, Action.VIEW_CASE):
        try:
            access.get_case(session, actor, job.case_id, Action.VIEW_CASE)
        except CaseNotFound:
            raise RecordNotFound("job", job_id) from None
        return job
    if job.gallery_id is not None and may(actor, Action.MANAGE_GALLERY):
        return job
    raise RecordNotFound("job", job_id)
