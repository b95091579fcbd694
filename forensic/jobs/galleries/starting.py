"""Beginning an import in the foreground, or going on with one that was cut off."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.errors import RecordError
from db.models import Job
from db.queries import jobs
from db.session import session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor
from forensic.cases.intake import ImportSource
from forensic.cases.jobs import JobKind
from forensic.jobs.galleries.hold import is_gone, this_process
from forensic.jobs.galleries.imports import Tell, run_import
from forensic.jobs.galleries.intake import Intake
from forensic.storage import FileStore

LEASE = timedelta(minutes=2)
_NO_LIMIT = 10**6
"""Whoever runs a command again wants it done, however often it was cut off before."""


@dataclass(frozen=True)
class Imported:
    """How an import ended.

    Attributes:
        job: The ended job, with its counts.
        was_resumed: Whether it went on with one that had been cut off.
    """

    job: Job
    was_resumed: bool


def import_here(
    engine: Engine,
    gallery_id: uuid.UUID,
    source: ImportSource,
    *,
    intake: Intake,
    store: FileStore,
    folder: Path,
    actor: Actor,
    on_progress: Tell | None = None,
) -> Imported:
    """Do an import in this process; one of the same source that was cut off is gone on with.

    Args:
        engine: The records.
        gallery_id: The gallery that takes the photos in.
        source: Where they come from.
        intake: Turns files into vectors of the gallery's embedder.
        store: Where photos are kept.
        folder: Where indexes are published.
        actor: Who does it, for the audit.
        on_progress: Told after each batch.

    Raises:
        Conflict: Another process is importing this source into this gallery now.
        ForensicError: As `run_import`; running it again goes on.
        RecordError: Likewise.
        OSError: Likewise.
    """
    worker = this_process()
    with session_scope(engine) as session:
        job, was_resumed = _find_or_create(session, gallery_id, source, actor)
        if job.worker is not None and is_gone(job.worker):
            jobs.release_job(session, job.id, job.worker)
        jobs.claim_job(session, job.id, worker, lease=LEASE, max_attempts=_NO_LIMIT)
    try:
        ended = run_import(
            engine,
            job.id,
            worker=worker,
            lease=LEASE,
            intake=intake,
            store=store,
            folder=folder,
            actor=actor,
            on_progress=on_progress,
        )
    except BaseException:
        # Given back, not failed: what stopped it (a full disk, Ctrl-C) can be mended.
        with suppress(RecordError), session_scope(engine) as session:
            jobs.release_job(session, job.id, worker)
        raise
    return Imported(ended, was_resumed)


def _find_or_create(
    session: Session, gallery_id: uuid.UUID, source: ImportSource, actor: Actor
) -> tuple[Job, bool]:
    asked = source.model_dump(mode="json")
    for job in jobs.list_open_jobs(session, gallery_id, kind=JobKind.IMPORT.value):
        if job.parameters.get("source") == asked:
            return job, True
    job = jobs.create_job(
        session,
        kind=JobKind.IMPORT.value,
        parameters={"source": asked},
        requested_by_id=actor.user_id,
        gallery_id=gallery_id,
    )
    tag = audit.Tag.IMPORT_REQUESTED
    audit.record(session, actor, tag, gallery_id=gallery_id, job_id=job.id, kind=source.kind)
    return job, False
