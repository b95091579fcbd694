"""Imports: photos from a source into a gallery, by a job that always finishes.

    list      every item of the source becomes a row of the job, once
    work      read, hash, leave out what is known, examine, embed; each step ahead of the next
    record    photos, vectors and outcomes of a batch in one transaction
    publish   a new generation of the index, at the end and now and then on the way

A worker killed anywhere leaves whole batches behind; the next one goes on with the items that
have not ended. Doing anything twice changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Gallery, Job, JobState
from db.queries import jobs
from db.queries.photos import find_known
from db.queries.rows import get_row
from forensic.cases import audit
from forensic.cases.actor import Actor, worker_actor
from forensic.cases.intake import Refusal, read_policy, read_source
from forensic.errors import IndexMismatch, JobError
from forensic.files import sha256_of_bytes
from forensic.jobs.galleries.hold import CANCELLED, Hold
from forensic.jobs.galleries.intake import Intake, Item, ahead
from forensic.jobs.galleries.listing import list_source, pending_batches
from forensic.jobs.galleries.pace import Pace, Progress
from forensic.jobs.galleries.projection import publish
from forensic.jobs.galleries.recording import Recorder
from forensic.jobs.galleries.sources.opening import opened
from forensic.jobs.galleries.sources.source import Source
from forensic.storage import FileStore

BATCH_SIZE = 32
"""Items that go through all steps together; few enough that a crash costs little."""

PUBLISH_EVERY_S = 600.0
"""How often a long import makes what it has done so far searchable."""

_READERS = 4
"""Threads that read files; they wait for the disk, not for the processor."""

Tell = Callable[[Progress], None]


def run_import(
    engine: Engine,
    job_id: uuid.UUID,
    *,
    worker: str,
    lease: timedelta,
    intake: Intake,
    store: FileStore,
    folder: Path,
    on_progress: Tell | None = None,
    actor: Actor | None = None,
    publish_every_s: float = PUBLISH_EVERY_S,
) -> Job:
    """Do an import that `worker` has claimed, or what is left of it, and return the ended job.

    The lease is renewed meanwhile. A cancelled import stops, and what it took in stays.

    Args:
        engine: The records.
        job_id: Its parameters hold the source, see `forensic.cases.intake.ImportSource`.
        worker: Under which the job was claimed.
        lease: For how long a hold lasts.
        intake: Turns files into vectors of the gallery's embedder.
        store: Where photos are kept.
        folder: Where indexes are published.
        on_progress: Told after each batch.
        actor: Who is doing it, for the audit; the worker unless given.
        publish_every_s: How often to publish on the way.

    Raises:
        IndexMismatch: The gallery was made with another embedder.
        DataFolderError: The source is not there or cannot be used.
        InputError: The job's source or the gallery's policy is malformed.
        JobError: The source has changed, or another worker has the job.
        StorageError: The store cannot be written, for example because its disk is full. Like
            after the next two, the job is still held, and running it again goes on.
        Unavailable: The database stayed away.
        OSError: The index cannot be written.
    """
    hold = Hold(engine, job_id, worker, lease=lease)
    tell = on_progress or (lambda _: None)
    job = hold.job()
    gallery = hold.read(lambda session: get_row(session, Gallery, job.gallery_id))
    check_embedder(gallery, intake)
    with hold.kept():
        try:
            with opened(read_source(job.parameters), store) as source:
                list_source(hold, source, tell=tell)
                run = _Run(hold, gallery, intake, store=store, folder=folder, tell=tell)
                run.work(source, publish_every_s=publish_every_s)
            tell(run.progress(hold.job(), phase="publishing"))
            publish(engine, folder, gallery.id)
            return hold.write(partial(_end, hold=hold, actor=actor or worker_actor()))
        except JobError as error:
            if error.reason != CANCELLED:
                raise
            publish(engine, folder, gallery.id)
            return hold.job()


def check_embedder(gallery: Gallery, intake: Intake) -> None:
    """Refuse an intake whose vectors cannot be compared with those of a gallery.

    Raises:
        IndexMismatch: Embedder or weights differ.
    """
    expected = (gallery.weights_sha256, gallery.dimension)
    if (intake.weights_sha256, intake.dimension) != expected:
        raise IndexMismatch(
            f"Gallery {gallery.name!r} was made with the embedder {gallery.embedder} (weights "
            f"{gallery.weights_sha256[:12]}…), in use is {intake.embedder_name} "
            f"({intake.weights_sha256[:12]}…). Use that embedder, or make a new gallery."
        )


class _Run:
    """One worker's pass over the items that are left."""

    def __init__(
        self,
        hold: Hold,
        gallery: Gallery,
        intake: Intake,
        *,
        store: FileStore,
        folder: Path,
        tell: Tell,
    ) -> None:
        self._hold, self._gallery, self._intake = hold, gallery, intake
        self._policy = read_policy(gallery.policy)
        self._recorder = Recorder(hold, gallery.id, policy=self._policy, store=store)
        self._folder, self._tell, self._pace = folder, tell, Pace()

    def work(self, source: Source, *, publish_every_s: float) -> None:
        """Bring every pending item to its end."""
        published_at = monotonic()
        with ThreadPoolExecutor(_READERS) as readers, ThreadPoolExecutor(1) as writer:
            self._pace.mark(self._hold.job().done)
            writing: Future[None] | None = None
            for batch in self._intake.run(self._policy, self._fresh(source, readers)):
                if writing is not None:
                    writing.result()  # one batch is written while the next is embedded
                due = monotonic() - published_at >= publish_every_s
                published_at = monotonic() if due else published_at
                writing = writer.submit(self._write, batch, also_publish=due)
            if writing is not None:
                writing.result()

    def progress(self, job: Job, *, phase: str = "importing") -> Progress:
        """Return where the import is."""
        return Progress(
            phase,
            job.total,
            job.done,
            dict(job.counts),
            items_per_s=self._pace.items_per_s(),
            remaining_s=self._pace.remaining_s(job.total - job.done),
            embedding_share=self._pace.share(self._intake.embedding_s),
        )

    def _fresh(self, source: Source, readers: ThreadPoolExecutor) -> Iterator[list[Item]]:
        """Yield batches that are read and looked up, reading ahead."""
        reading = (
            (batch, [readers.submit(_read, source, item) for item in batch])
            for batch in pending_batches(self._hold, BATCH_SIZE)
        )
        for batch, tasks in ahead(reading, 1):
            for task in tasks:
                task.result()
            self._look_up(batch)
            yield batch

    def _look_up(self, batch: Iterable[Item]) -> None:
        items = [item for item in batch if item.is_fresh]
        files = [(item.sha256 or "", item.subject) for item in items]
        known = self._hold.read(lambda session: find_known(session, self._gallery.id, files))
        for item, what in zip(items, known, strict=True):
            item.known = what

    def _write(self, batch: list[Item], *, also_publish: bool) -> None:
        self._tell(self._recorder.record(batch, self._marked))
        if also_publish:
            publish(self._hold.engine, self._folder, self._gallery.id)

    def _marked(self, job: Job) -> Progress:
        self._pace.mark(job.done)
        return self.progress(job)


def _read(source: Source, item: Item) -> None:
    content = source.read(item.name)
    if isinstance(content, Refusal):
        item.refusal = content
    else:
        item.data, item.sha256 = content, sha256_of_bytes(content)


def _end(session: Session, *, hold: Hold, actor: Actor) -> Job:
    """End the job as succeeded, once, and say so in the audit."""
    job = get_row(session, Job, hold.job_id, lock=True)
    if job.state is JobState.SUCCEEDED:
        return job  # it was done, and only the answer was lost
    job = jobs.end_job(session, hold.job_id, hold.worker)
    audit.record(
        session,
        actor,
        audit.Tag.IMPORT_ENDED,
        job_id=job.id,
        gallery_id=job.gallery_id,
        total=job.total,
        counts=dict(job.counts),
    )
    return job
