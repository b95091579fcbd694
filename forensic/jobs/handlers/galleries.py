"""Imports into a gallery, publishing it, and the files of a person who was expunged."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from db.models import Gallery, Job
from db.queries.jobs import end_job
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases import audit
from forensic.errors import JobError
from forensic.jobs.galleries.examine import FaceExaminer
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.galleries.imports import run_import
from forensic.jobs.galleries.intake import LocalIntake
from forensic.jobs.galleries.projection import publish
from forensic.jobs.galleries.removal import delete_archives, finish_expunging
from forensic.jobs.tasks import Workshop, asker_of


def import_photos(shop: Workshop, hold: Hold, job: Job) -> None:
    """Import photos with the worker's own models; ends the job item by item.

    The uploaded archive goes once the job has ended: what is wanted of it is in the gallery.

    Raises:
        ForensicError: The import cannot go on; the message says why.
        RecordError: The same, for the records.
        OSError: The same, for files and disks.
    """
    gallery = _gallery(hold, job)
    embedder = shop.models.embedder(gallery.embedder, weights_sha256=gallery.weights_sha256)
    detector = shop.models.detector()
    intake = LocalIntake(
        embedder,
        make_examiner=lambda policy: FaceExaminer(
            detector, template=embedder.template, policy=policy
        ),
        processes=0,
    )
    run_import(
        shop.engine,
        job.id,
        worker=shop.worker,
        lease=shop.lease,
        intake=intake,
        store=shop.store,
        folder=shop.galleries,
        actor=asker_of(job),
    )
    with session_scope(shop.engine) as session:
        delete_archives(session, gallery.id, store=shop.store)
    shop.searcher.warm(gallery.id)


def publish_gallery(shop: Workshop, hold: Hold, job: Job) -> None:
    """Publish a gallery as it is now; first finish expunging a person, if the job names one.

    Raises:
        GalleryError: The index cannot be built.
        StorageError: A file cannot be deleted.
        JobError: The job is not ours any more.
    """
    gallery = _gallery(hold, job)
    told = job.parameters.get("expunged_subject_id")
    actor = asker_of(job)
    if told is not None:
        finish_expunging(
            shop.engine, uuid.UUID(told), store=shop.store, folder=shop.galleries, actor=actor
        )
    published = publish(shop.engine, shop.galleries, gallery.id)

    def keep(session: Session) -> None:
        end_job(session, job.id, shop.worker)
        audit.record(
            session,
            actor,
            audit.Tag.INDEX_BUILT,
            gallery_id=gallery.id,
            job_id=job.id,
            generation_id=published.generation_id,
            photo_count=published.photo_count,
        )

    hold.write(keep)
    shop.searcher.warm(gallery.id)


def _gallery(hold: Hold, job: Job) -> Gallery:
    if job.gallery_id is None:
        raise JobError("The job names no gallery.", reason="no_gallery")
    gallery_id = job.gallery_id
    return hold.read(lambda session: get_row(session, Gallery, gallery_id))
