"""Files that rows name by their SHA-256: who holds one, and which may be deleted.

A file is kept once however many rows name it: two people's photos, a sketch sealed into two
cases. A transaction that adds such a row calls `hold_files` first, one that deletes files asks
`free_files` which, and deletes them before it ends. The two wait for each other, so that no file
goes while a row that names it is on its way, and of two who give a file up the second frees it.

Locks are taken in this order: rows of cases, galleries and jobs, then files, then the audit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.models.cases import Case, Report
from db.models.galleries import NOT_REMOVED, Gallery, Photo, PhotoState
from db.models.jobs import Job
from db.models.probes import Probe, Rendition

_FILES_LOCK = 0x66696C6573  # any fixed number: adders share it, a deleter has it alone


def hold_files(session: Session) -> None:
    """Keep all files from being deleted until the transaction ends; others may hold them too.

    Call it before a file is put into the store for a row that this transaction adds.
    """
    if _locks_by_hand(session):
        session.execute(select(func.pg_advisory_xact_lock_shared(_FILES_LOCK)))


def free_files(session: Session, sha256s: Sequence[str] | frozenset[str]) -> frozenset[str]:
    """Return those of the files that no record holds.

    Nobody can begin to hold one until the transaction ends: delete them before it does.
    """
    if not sha256s:
        return frozenset()
    if _locks_by_hand(session):
        session.execute(select(func.pg_advisory_xact_lock(_FILES_LOCK)))
    return frozenset(sha256s) - held_files(session, sha256s)


def held_files(session: Session, sha256s: Sequence[str] | frozenset[str]) -> frozenset[str]:
    """Return those of the files that a record holds.

    Records that hold files: cases that are not expunged, active photos of any gallery, and jobs
    that have not ended.
    """
    wanted = set(sha256s)
    found = {
        sha256
        for statement in _holders(wanted)
        for sha256 in session.scalars(statement)
        if sha256 is not None
    }
    return frozenset(found | _named_by_jobs(session, wanted - found))


def _locks_by_hand(session: Session) -> bool:
    # SQLite needs none: its writers already hold the only write lock.
    return session.get_bind().dialect.name == "postgresql"


def _holders(wanted: set[str]) -> Iterator[Select[Any]]:
    is_kept = Case.expunged_at.is_(None)
    probes = select(Probe.sketch_sha256).join(Case, Case.id == Probe.case_id)
    yield probes.where(is_kept, Probe.sketch_sha256.in_(wanted))
    renditions = select(Rendition.output_sha256).join(Probe, Probe.id == Rendition.probe_id)
    renditions = renditions.join(Case, Case.id == Probe.case_id)
    yield renditions.where(is_kept, Rendition.output_sha256.in_(wanted))
    reports = select(Report.sha256).join(Case, Case.id == Report.case_id)
    yield reports.where(is_kept, Report.sha256.in_(wanted))
    for column in (Photo.sha256, Photo.crop_sha256):
        yield select(column).where(
            Photo.gallery_id.in_(select(Gallery.id)),  # lets the index on gallery and content serve
            column.in_(wanted),
            NOT_REMOVED,
            Photo.state == PhotoState.ACTIVE,
        )


def _named_by_jobs(session: Session, wanted: set[str]) -> set[str]:
    """Return those that a job works on, such as an uploaded archive: its parameters name them."""
    if not wanted:
        return set()
    told = session.scalars(select(Job.parameters).where(Job.ended_at.is_(None)))
    texts = [json.dumps(parameters) for parameters in told]
    return {sha256 for sha256 in wanted if any(sha256 in text for text in texts)}
