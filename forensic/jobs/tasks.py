"""The frame round every job: taken up once, kept by a lease, ended with a result or a reason.

A handler commits its result and the end of its job in one transaction. So a worker that is killed
leaves a job that is either ended with its result, or still to be done; whoever was too late finds
that the job is no longer its own, and can change nothing.
"""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.errors import Conflict, NotFound, RecordError, Unavailable
from db.models import Job, JobState
from db.queries import jobs as job_rows
from db.session import session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor, worker_actor
from forensic.cases.jobs import JobKind
from forensic.errors import ForensicError, ImageError, JobError
from forensic.jobs.galleries.hold import CANCELLED, TAKEN, Hold, is_gone
from forensic.jobs.queue import JobQueue
from forensic.storage import FileStore

if TYPE_CHECKING:  # the frame itself needs no networks
    from forensic.jobs.galleries.searching import GallerySearcher
    from forensic.jobs.models import Models

INTERNAL = "internal_error"
"""Reason of a job that failed for what nobody foresaw; the worker's log has the rest."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workshop:
    """All that a worker works with.

    Attributes:
        engine: The records.
        store: The files.
        galleries: Folder of the published indexes.
        models: Loaded models.
        searcher: Open indexes.
        worker: A name that no other process has, before or after.
        lease: How long a job stays a silent worker's own.
    """

    engine: Engine
    store: FileStore
    galleries: Path
    models: Models
    searcher: GallerySearcher
    worker: str
    lease: timedelta


Handler = Callable[[Workshop, Hold, Job], None]


def run_job(shop: Workshop, job_id: uuid.UUID, handlers: Mapping[str, Handler]) -> None:
    """Do one job, if it is still to be done and nobody else's; ends it one way or the other.

    Raises nothing on purpose: what goes wrong stands in the job's row and in the audit.
    """
    job = _claim(shop, job_id)
    if job is None:
        return
    hold = Hold(shop.engine, job_id, shop.worker, lease=shop.lease)
    try:
        with hold.kept():
            handlers[job.kind](shop, hold, job)
    except Unavailable:
        _log.exception("job %s is left until the database is back", job_id)
    except Exception as error:
        if isinstance(error, JobError) and error.reason in (CANCELLED, TAKEN):
            _log.info("job %s: %s", job_id, error)
            return
        _fail(shop, hold, job, error)


def asker_of(job: Job) -> Actor:
    """Return the worker as it acts for a job, with the request that asked for it."""
    return worker_actor(request_id=job.parameters.get("request_id"))


def queue_waiting(engine: Engine, queue: JobQueue) -> int:
    """Hand over the jobs that nobody has: never queued, lost on the way, or left by the dead.

    Returns:
        How many were handed over.

    Raises:
        Unavailable: The database is out of reach.
        JobError: The queue is.
    """
    with session_scope(engine) as session:
        for job in job_rows.list_running_jobs(session):
            if job.worker is not None and is_gone(job.worker):
                job_rows.end_lease(session, job.id, job.worker)
        waiting = [(job.kind, job.id) for job in job_rows.list_waiting_jobs(session)]
    known = queue.waiting()
    lost = [(kind, job_id) for kind, job_id in waiting if job_id not in known]
    for kind, job_id in lost:
        queue.enqueue(kind, job_id)
    return len(lost)


def watch_for_lost_jobs(
    engine: Engine, queue: JobQueue, stop: threading.Event, *, every_s: float
) -> None:
    """Do `queue_waiting` again and again, until told to stop."""
    while not stop.wait(every_s):
        try:
            queue_waiting(engine, queue)
        except Exception:
            _log.exception("looking for lost jobs failed; it is tried again")


def _claim(shop: Workshop, job_id: uuid.UUID) -> Job | None:
    """Take up a job; None where it has ended, is another's, or was given up just now."""
    try:
        with session_scope(shop.engine) as session:
            job = job_rows.claim_job(session, job_id, shop.worker, lease=shop.lease)
            if job.state is JobState.RUNNING:
                return job
            _record_failure(session, shop, job)
    except (Conflict, NotFound) as error:
        _log.info("job %s is not taken up: %s", job_id, error)
    except Unavailable:
        _log.exception("job %s waits until the database is back", job_id)
    return None


def _fail(shop: Workshop, hold: Hold, job: Job, error: Exception) -> None:
    """End a job as failed, with a reason that a person can read."""
    is_foreseen = isinstance(error, (ForensicError, RecordError, OSError))
    _log.log(
        logging.WARNING if is_foreseen else logging.ERROR,
        "job %s failed: %s",
        job.id,
        type(error).__name__,
        exc_info=None if is_foreseen else error,
    )
    detail = str(error) if is_foreseen else "Unforeseen; the worker's log tells more."
    try:
        with session_scope(shop.engine) as session:
            ended = job_rows.end_job(
                session, job.id, hold.worker, reason_code=reason_of(error), detail=detail
            )
            _record_failure(session, shop, ended)
    except (Conflict, Unavailable):
        _log.exception("job %s could not be ended", job.id)


def reason_of(error: Exception) -> str:
    """Return the stable reason code of an error, e.g. `no_face`."""
    if isinstance(error, (JobError, ImageError)):
        return error.reason
    if isinstance(error, OSError):
        return "storage"
    if not isinstance(error, (ForensicError, RecordError)):
        return INTERNAL
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _record_failure(session: Session, shop: Workshop, job: Job) -> None:
    tag = audit.Tag.SEARCH_FAILED if job.kind == JobKind.SEARCH else audit.Tag.JOB_FAILED
    audit.record(
        session,
        asker_of(job),
        tag,
        case_id=job.case_id,
        job_id=job.id,
        kind=job.kind,
        reason=job.reason_code,
        attempts=job.attempts,
        worker=shop.worker,
    )
