"""Deleting the files of an expunged case, until none is left."""

from __future__ import annotations

from sqlalchemy.orm import Session

from db.models import Job
from db.queries.cases import expunge_case
from db.queries.jobs import end_job
from forensic.cases import audit, files
from forensic.errors import JobError
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.tasks import Workshop, asker_of


def delete_case_files(shop: Workshop, hold: Hold, job: Job) -> None:
    """Delete the files that only this case held, and record that they are gone.

    The records name the same files each time, so a crash half-way is mended by doing it again. All
    in one transaction: whoever seals the same file into another case meanwhile waits for its end.

    Raises:
        StorageError: A file cannot be deleted; expunging the case again repeats this.
        JobError: The job names no case, or is not ours any more.
        RecordError: The case came under legal hold before its files were deleted.
    """
    case_id = job.case_id
    if case_id is None:
        raise JobError("The job names no case.", reason="no_case")

    def clear(session: Session) -> None:
        end_job(session, job.id, shop.worker)
        free = expunge_case(session, case_id)
        deleted = files.delete_free(session, shop.store, free)
        audit.record(
            session,
            asker_of(job),
            audit.Tag.CASE_FILES_DELETED,
            case_id=case_id,
            files=free,
            deleted_now=len(deleted),
        )

    hold.write(clear)
