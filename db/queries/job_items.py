"""Items of a job, each ended once: the files of an import and what became of them.

Only the worker that holds the job may change them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.base import utc_now
from db.models.jobs import ItemState, Job, JobItem
from db.queries.jobs import held_job
from db.queries.rows import Page, fetch_page


@dataclass(frozen=True)
class NewItem:
    """One file that an import is to take in, or must refuse at once for `reason_code`."""

    name: str
    subject_external_id: str
    subject_metadata: Mapping[str, Any]
    reason_code: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class EndedItem:
    """How one item ended; a rejected one needs a `reason_code`."""

    item_id: int
    state: ItemState
    reason_code: str | None = None
    detail: str | None = None
    sha256: str | None = None
    photo_id: int | None = None


def add_items(session: Session, job_id: uuid.UUID, worker: str, items: Sequence[NewItem]) -> None:
    """Append items to a job, numbered on from those it has.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = held_job(session, job_id, worker)
    now = utc_now()
    rows = [
        {
            "job_id": job_id,
            "position": job.total + offset,
            "name": item.name,
            "subject_external_id": item.subject_external_id,
            "subject_metadata": dict(item.subject_metadata),
            "state": ItemState.REJECTED if item.reason_code else ItemState.PENDING,
            "reason_code": item.reason_code,
            "detail": item.detail,
            "ended_at": now if item.reason_code else None,
        }
        for offset, item in enumerate(items)
    ]
    if rows:
        session.execute(insert(JobItem), rows)
    job.total += len(rows)
    _count(job, [ItemState.REJECTED for item in items if item.reason_code])
    session.flush()


def end_items(session: Session, job_id: uuid.UUID, worker: str, ended: Sequence[EndedItem]) -> int:
    """Note how items ended, and the job's progress with them; return how many were new.

    An item that has ended before stays as it was: doing a batch again changes nothing. A job that
    gets on has its attempts counted anew: only one that loses workers at one place is given up.

    Raises:
        NotFound: There is no such job.
        Conflict: Another worker has it, or it has ended.
    """
    job = held_job(session, job_id, worker)
    outcomes = {item.item_id: item for item in ended}
    pending = session.scalars(
        select(JobItem).where(
            JobItem.job_id == job_id,
            JobItem.id.in_(outcomes),
            JobItem.state == ItemState.PENDING,
        )
    ).all()
    now = utc_now()
    for item in pending:
        outcome = outcomes[item.id]
        item.state, item.reason_code = outcome.state, outcome.reason_code
        item.detail, item.sha256 = outcome.detail, outcome.sha256
        item.photo_id, item.ended_at = outcome.photo_id, now
    _count(job, [item.state for item in pending])
    if pending:
        job.attempts = 1
    session.flush()
    return len(pending)


def list_items(
    session: Session,
    job_id: uuid.UUID,
    *,
    state: ItemState | None = None,
    after: int | None = None,
    limit: int = 50,
) -> Page[JobItem]:
    """Return the items of a job in their order, of one state where given."""
    statement = select(JobItem).where(JobItem.job_id == job_id)
    if state is not None:
        statement = statement.where(JobItem.state == state)
    return fetch_page(session, statement, key=JobItem.position, after=after, limit=limit)


def _count(job: Job, ended: Sequence[ItemState]) -> None:
    counts = Counter(job.counts)
    counts.update(state.value for state in ended)
    job.counts, job.done = dict(counts), job.done + len(ended)
