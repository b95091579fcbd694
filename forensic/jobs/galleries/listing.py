"""From a source to the items of a job, and from those back to work that is to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy.orm import Session

from db.models import ItemState, Job, JobItem
from db.queries import job_items, jobs
from db.queries.job_items import NewItem
from db.queries.rows import get_row
from forensic.errors import JobError
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.galleries.intake import Item
from forensic.jobs.galleries.pace import Progress
from forensic.jobs.galleries.sources.source import Source

LISTED_AT_ONCE = 500


def list_source(hold: Hold, source: Source, *, tell: Callable[[Progress], None]) -> None:
    """Write every item of a source into the job, going on where an earlier worker stopped.

    Raises:
        JobError: The source is not the one that was begun with (`source_changed`), or the job is
            not this worker's any more.
    """
    job = hold.job()
    if job.progress.get("listed"):
        return
    items = source.items()
    _pass_over(hold, items, job.total)
    while batch := list(islice(items, LISTED_AT_ONCE)):
        job = hold.write(_appending(hold, batch, job.total))
        tell(Progress("listing", job.total, job.done, job.counts, listed=False))
    done = Progress("importing", job.total, job.done, job.counts)
    hold.write(lambda s: jobs.note_progress(s, hold.job_id, hold.worker, done.record()))


def pending_batches(hold: Hold, size: int) -> Iterator[list[Item]]:
    """Yield the items that have not ended, in the source's order, some at a time."""
    after: int | None = None
    while True:

        def ask(session: Session, after: int | None = after) -> list[tuple[int, Item]]:
            page = job_items.list_items(
                session, hold.job_id, state=ItemState.PENDING, after=after, limit=size
            )
            return [
                (
                    row.position,
                    Item(row.id, row.name, row.subject_external_id, row.subject_metadata),
                )
                for row in page.rows
            ]

        found = hold.read(ask)
        if not found:
            return
        after = found[-1][0]
        yield [item for _, item in found]


def _item_of(row: JobItem) -> Item:
    return Item(row.id, row.name, row.subject_external_id, dict(row.subject_metadata))


def _pass_over(hold: Hold, items: Iterator[NewItem], n: int) -> None:
    """Skip the items that are listed, and make sure that they are the same as then.

    Raises:
        JobError: The last one of them has another name now.
    """
    if not n:
        return
    last = next(islice(items, n - 1, None), None)
    page = hold.read(lambda s: job_items.list_items(s, hold.job_id, after=n - 2, limit=1))
    listed = page.rows[0].name if page.rows else None
    if last is None or last.name != listed:
        raise JobError(
            f"The source has changed since its listing began: item {n} was {listed!r}. Cancel "
            "this import and begin it anew; photos that are in the gallery are not done again.",
            reason="source_changed",
        )


def _appending(hold: Hold, batch: list[NewItem], total: int) -> Callable[[Session], Job]:
    def append(session: Session) -> Job:
        job = get_row(session, Job, hold.job_id, lock=True)
        if job.total == total:  # else it was appended, and only the answer was lost
            job_items.add_items(session, hold.job_id, hold.worker, batch)
        return job

    return append
