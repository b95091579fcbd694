"""Jobs, taken up by one worker at a time; what they consist of is in `job_items`.

A worker proves in every call that the job is still its own; one whose lease ran out, and whose
job went to another, is refused and can do no harm.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import Conflict
from db.models.jobs import Job, JobState
from db.queries.rows import Page, fetch_page, get_row

ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
ABANDONED = "abandoned"


def create_job(
    session: Session,
    *,
    kind: str,
    parameters: Mapping[str, Any],
    requested_by_id: uuid.UUID | None = None,
    case_id: uuid.UUID | None = None,
    gallery_id: uuid.UUID | None = None,
) -> Job:
    """Queue a job."""
    job = Job(
        kind=kind,
        parameters=dict(parameters),
        requested_by_id=requested_by_id,
        case_id=case_id,
        gallery_id=gallery_id,
        counts={},
        progress={},
    )
    session.add(job)
    session.flush()
    return job


def list_jobs(
    session: Session,
    *,
    case_id: uuid.UUID | None = None,
    gallery_id: uuid.UUID | None = None,
    kind: str | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Job]:
    """Return jobs, newest first, of one case, gallery or kind where given."""
    statement = select(Job)
    if kind is not None:
        statement = statement.where(Job.kind == kind)
    if case_id is not None:
        statement = statement.where(Job.case_id == case_id)
    if gallery_id is not None:
        statement = statement.where(Job.gallery_id == gallery_id)
    return fetch_page(session, statement, key=Job.id, after=after, limit=limit, descending=True)


def iterate_jobs(session: Session, *, gallery_id: uuid.UUID, kind: str) -> Iterator[Job]:
    """Yield all jobs of one kind and gallery, in no order."""
    statement = select(Job).where(Job.gallery_id == gallery_id, Job.kind == kind)
    with session.scalars(statement.execution_options(yield_per=1000)) as jobs:
        yield from jobs


def list_open_jobs(session: Session, gallery_id: uuid.UUID, *, kind: str) -> Sequence[Job]:
    """Return the jobs of one kind and gallery that have not ended, oldest first."""
    statement = select(Job).where(
        Job.gallery_id == gallery_id, Job.kind == kind, Job.state.not_in(ENDED)
    )
    return session.scalars(statement.order_by(Job.id)).all()


def claim_job(
    session: Session,
    job_id: uuid.UUID,
    worker: str,
    *,
    lease: timedelta,
    max_attempts: int = 3,
) -> Job:
    """Take up a queued job, or one whose worker is gone, for the time of `lease`.

    A job that lost its worker `max_attempts` times in one place is not tried again: it comes back
    failed, with the reason `abandoned`. Look at the state of what is returned.

    Raises:
        NotFound: There is no such job.
        Conflict: It has ended, or another worker holds it.
    """
    job = get_row(session, Job, job_id, lock=True)
    now = utc_now()
    if job.state in ENDED:
        raise Conflict(f"Job {job_id} has {job.state} before.")
    if job.lease_until_at is not None and job.lease_until_at > now and job.worker != worker:
        raise Conflict(f"Job {job_id} is being done by {job.worker}.")
    if job.attempts >= max_attempts:
        _end(job, JobState.FAILED, reason_code=ABANDONED)
        job.detail = f"Its worker was lost {job.attempts} times."
    else:
        job.state, job.worker, job.lease_until_at = JobState.RUNNING, worker, now + lease
        job.attempts += 1
        job.started_at = job.started_at or now
    session.flush()
    return job


def renew_lease(session: Session, job_id: uuid.UUID, worker: str, *, lease: timedelta) -> Job:
    """Keep a job for longer; its `state` tells whether it was cancelled meanwhile.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = held_job(session, job_id, worker)
    job.lease_until_at = utc_now() + lease
    session.flush()
    return job


def end_job(
    session: Session,
    job_id: uuid.UUID,
    worker: str,
    *,
    reason_code: str | None = None,
    detail: str | None = None,
) -> Job:
    """End a job: as succeeded, or with a `reason_code` as failed.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = held_job(session, job_id, worker)
    _end(job, JobState.FAILED if reason_code else JobState.SUCCEEDED, reason_code=reason_code)
    job.detail = detail
    session.flush()
    return job


def release_job(session: Session, job_id: uuid.UUID, worker: str) -> Job:
    """Give a job back to the queue, for example when the worker is asked to stop.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = held_job(session, job_id, worker)
    job.state, job.worker, job.lease_until_at = JobState.QUEUED, None, None
    job.attempts -= 1
    session.flush()
    return job


def cancel_job(session: Session, job_id: uuid.UUID) -> Job:
    """Cancel a job that has not ended; its worker learns of it at its next call.

    Raises:
        NotFound: There is no such job.
        Conflict: It has ended.
    """
    job = get_row(session, Job, job_id, lock=True)
    if job.state in ENDED:
        raise Conflict(f"Job {job_id} has {job.state} before.")
    _end(job, JobState.CANCELLED)
    session.flush()
    return job


def list_waiting_jobs(session: Session, *, limit: int = 100) -> Sequence[Job]:
    """Return jobs that somebody should take up, oldest first: queued, or left by their worker."""
    is_left = (Job.state == JobState.RUNNING) & (Job.lease_until_at <= utc_now())
    statement = select(Job).where(or_(Job.state == JobState.QUEUED, is_left))
    return session.scalars(statement.order_by(Job.id).limit(limit)).all()


def list_running_jobs(session: Session) -> Sequence[Job]:
    """Return the jobs that a worker holds, or held when it died, oldest first."""
    return session.scalars(select(Job).where(Job.state == JobState.RUNNING).order_by(Job.id)).all()


def end_lease(session: Session, job_id: uuid.UUID, worker: str) -> Job:
    """End the lease of a worker that is known to be dead, so that the job is taken up at once.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = held_job(session, job_id, worker)
    job.lease_until_at = utc_now()
    session.flush()
    return job


def note_progress(
    session: Session, job_id: uuid.UUID, worker: str, progress: Mapping[str, Any]
) -> Job:
    """Replace what is known of the way of a job.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = held_job(session, job_id, worker)
    job.progress = dict(progress)
    session.flush()
    return job


def held_job(session: Session, job_id: uuid.UUID, worker: str) -> Job:
    """Return a job that a worker holds, locked until the transaction ends.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = get_row(session, Job, job_id, lock=True)
    if job.state is not JobState.RUNNING or job.worker != worker:
        raise Conflict(f"Job {job_id} is {job.state} and not held by {worker}.")
    return job


def _end(job: Job, state: JobState, *, reason_code: str | None = None) -> None:
    job.state, job.reason_code, job.ended_at = state, reason_code, utc_now()
    job.worker, job.lease_until_at = None, None
