"""Benchmarks asked for in the service: known pairs of sketches and photos, measured by a job."""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy.orm import Session

from db.models import Job, JobState, ProbeKind
from db.queries import jobs as job_rows
from db.queries.rows import Page, get_row
from forensic.cases import access, audit, jobs
from forensic.cases.actor import Actor
from forensic.cases.galleries import embedders
from forensic.cases.permissions import Action, check
from forensic.cases.renditions import check_generators
from forensic.errors import RecordNotFound, RequestRefused
from forensic.storage import FileStore
from forensic.weights.embedders import DEFAULT
from forensic.weights.fusions import BEST

DIRECT = "none"
"""The method that compares the sketch itself."""

OWN_METHODS = (BEST, DIRECT, "adapter")
"""Methods that are no generators."""


@dataclass(frozen=True)
class BenchmarkView:
    """A benchmark and, once it has ended, what it gave.

    Attributes:
        files: Name of each document and plot to its SHA-256.
        summary: Probes, gallery, and each method's rank-1 rate with its interval.
    """

    job: Job
    files: Mapping[str, str]
    summary: Mapping[str, Any]


def request(
    session: Session,
    actor: Actor,
    *,
    name: str,
    archive: IO[bytes],
    store: FileStore,
    kind: ProbeKind | None = None,
    methods: Sequence[str] = (BEST,),
    embedder: str = DEFAULT,
    max_bytes: int | None = None,
) -> Job:
    """Keep a ZIP of pairs and have it measured how often the right person is found.

    Args:
        session: An open session that may write.
        actor: Who asks.
        name: What people call the benchmark.
        archive: A ZIP with the folders `photos` and `sketches`; pairs share their file's name.
        store: Where files are kept.
        kind: How the sketches came to be; None where that is not known.
        methods: Names of `OWN_METHODS`, and generators; by default `best`.
        embedder: A name of the catalogue.
        max_bytes: Refuse a larger archive.

    Raises:
        NotPermitted: No role of the actor allows it.
        RequestRefused: A field is empty or unknown.
        RangeError: The archive is too large.
        StorageError: It cannot be kept.
    """
    check(actor, Action.RUN_BENCHMARK)
    name = access.required_text(name, "name", max_length=200)
    wanted = list(dict.fromkeys(methods))
    check_generators([method for method in wanted if method not in OWN_METHODS])
    if not wanted:
        raise RequestRefused("Name at least one method.", field="methods")
    if embedder not in {choice.name for choice in embedders()}:
        raise RequestRefused(f"There is no embedder {embedder!r}.", field="embedder")
    stored = store.put_stream(archive, max_bytes=max_bytes)
    parameters: dict[str, Any] = {
        "name": name,
        "archive_sha256": stored.sha256,
        "kind": kind.value if kind else "unknown",
        "methods": wanted,
        "embedder": embedder,
    }
    job = jobs.create(session, actor, jobs.JobKind.BENCHMARK, parameters)
    audit.record(session, actor, audit.Tag.BENCHMARK_REQUESTED, job_id=job.id, **parameters)
    return job


def list_benchmarks(
    session: Session, actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Job]:
    """Return the benchmarks, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
    """
    check(actor, Action.VIEW_BENCHMARK)
    with access.plain_errors():
        page = job_rows.list_jobs(
            session, kind=jobs.JobKind.BENCHMARK.value, after=after, limit=limit
        )
    audit.record(session, actor, audit.Tag.BENCHMARK_VIEWED, count=len(page.rows))
    return page


def get(session: Session, actor: Actor, job_id: uuid.UUID) -> BenchmarkView:
    """Return a benchmark and its results so far.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such benchmark.
    """
    view = _view(session, actor, job_id)
    audit.record(session, actor, audit.Tag.BENCHMARK_VIEWED, job_id=job_id)
    return view


def file_bytes(
    session: Session, actor: Actor, job_id: uuid.UUID, name: str, *, store: FileStore
) -> tuple[bytes, str]:
    """Return one document or plot of a benchmark and its media type.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such benchmark, or no such file in it.
        StorageError: The file is missing or damaged.
    """
    view = _view(session, actor, job_id)
    if name not in view.files:
        raise RecordNotFound("file", name)
    data = store.read(view.files[name])
    audit.record(session, actor, audit.Tag.BENCHMARK_VIEWED, job_id=job_id, file=name)
    return data, mimetypes.guess_type(name)[0] or "application/octet-stream"


def _view(session: Session, actor: Actor, job_id: uuid.UUID) -> BenchmarkView:
    check(actor, Action.VIEW_BENCHMARK)
    with access.plain_errors():
        job = get_row(session, Job, job_id)
    if job.kind != jobs.JobKind.BENCHMARK:
        raise RecordNotFound("benchmark", job_id)
    told = job.progress if job.state is JobState.SUCCEEDED else {}
    return BenchmarkView(job, told.get("files", {}), told.get("summary", {}))
