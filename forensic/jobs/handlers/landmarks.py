"""Finding the five landmarks of a sketch that was just sealed."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from db.models import Job, Probe
from db.queries.jobs import end_job
from db.queries.rows import get_row
from forensic.cases import landmarks
from forensic.faces.search import find_face
from forensic.images.io import decode_image
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.tasks import Workshop, asker_of
from forensic.sketches.normalise import normalise_sketch


def find_landmarks(shop: Workshop, hold: Hold, job: Job) -> None:
    """Find landmarks and keep them, unless a person has placed some meanwhile.

    Raises:
        NoFaceError: None are found; a person has to place them.
        ManyFacesError: Several faces compete.
        ImageError: Nothing is drawn.
        StorageError: The sketch's file is missing or damaged.
        JobError: The job is not ours any more.
    """
    probe_id = uuid.UUID(job.parameters["probe_id"])
    probe = hold.read(lambda session: get_row(session, Probe, probe_id))
    sketch = decode_image(shop.store.read(probe.sketch_sha256), name="the sketch")
    face = find_face(
        normalise_sketch(sketch, name="the sketch").image, shop.models.detector(), kind="sketch"
    )

    def keep(session: Session) -> None:
        end_job(session, job.id, shop.worker)  # first: refused if no longer ours
        landmarks.record_found(
            session,
            asker_of(job),
            probe_id,
            face.landmarks.tolist(),
            detector=face.detector,
            probability=face.probability,
        )

    hold.write(keep)
