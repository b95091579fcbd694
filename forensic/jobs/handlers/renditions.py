"""Making faces from a sketch with trained generators."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

import numpy as np
import torch
from sqlalchemy.orm import Session

import forensic
from db.models import Job, LandmarkVersion, Probe, Rendition
from db.queries.jobs import end_job, note_progress
from db.queries.rows import get_row
from forensic.cases import files, renditions
from forensic.images.io import decode_image, encode_image
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.tasks import Workshop, asker_of
from forensic.sketches.normalise import normalise_sketch
from forensic.values import RGB, Landmarks


@dataclass(frozen=True)
class SealedSketch:
    """A sketch with the landmarks that work goes on with.

    Attributes:
        pixels: (H, W, 3) uint8, dark lines on evenly lit paper.
        landmarks: Five points in its pixels.
        mended: What was done to the sealed pixels for that, see `normalise_sketch`.
    """

    probe: Probe
    version: LandmarkVersion
    pixels: RGB
    landmarks: Landmarks
    mended: tuple[str, ...] = ()


def make_renditions(shop: Workshop, hold: Hold, job: Job) -> None:
    """Make one face with each generator asked for; those that are made already stay.

    Raises:
        UnknownNameError: A generator is not known to this worker.
        WeightsError: Its weights are missing or damaged.
        StorageError: A file cannot be read or kept.
        RecordConflict: The file of a face was deleted with the last record of the same face.
        JobError: The job is not ours any more.
    """
    told = job.parameters
    sketch = load_sketch(
        shop, hold, uuid.UUID(told["probe_id"]), uuid.UUID(told["landmark_version_id"])
    )
    names = told["generators"]
    for done, name in enumerate(names, start=1):
        made = make_rendition(shop, sketch, name, job=job, seed=told["seed"])

        def keep(session: Session, made: Rendition = made, done: int = done) -> None:
            files.check_kept(session, shop.store, made.output_sha256)
            renditions.record_made(session, asker_of(job), made)
            progress = {"done": done, "total": len(names)}
            note_progress(session, job.id, shop.worker, progress)
            if done == len(names):
                end_job(session, job.id, shop.worker)

        hold.write(keep)


def load_sketch(
    shop: Workshop, hold: Hold, probe_id: uuid.UUID, version_id: uuid.UUID
) -> SealedSketch:
    """Return a sealed sketch, its seal checked, white lines and paper shadow taken away.

    Raises:
        StorageError: Its file is missing or damaged.
        ImageError: Nothing is drawn.
        NotFound: There is no such probe or version.
    """
    probe = hold.read(lambda session: get_row(session, Probe, probe_id))
    version = hold.read(lambda session: get_row(session, LandmarkVersion, version_id))
    pixels = decode_image(shop.store.read(probe.sketch_sha256), name="the sketch")
    normal = normalise_sketch(pixels, name="the sketch")
    points = np.array(version.points, dtype=np.float32)
    return SealedSketch(probe, version, normal.image, points, normal.steps)


def make_rendition(
    shop: Workshop, sketch: SealedSketch, generator: str, *, job: Job, seed: int
) -> Rendition:
    """Return a rendition whose file is kept; its row is not added yet.

    The file has no label in its pixels: it is what matchers compare. What is shown has one, see
    `forensic.cases.renditions.labelled_png`.

    Raises:
        UnknownNameError: The generator is not known.
        WeightsError: Its weights are missing or damaged.
        LandmarksError: The landmarks are not those of an upright face.
        StorageError: The file cannot be kept.
    """
    inverter = shop.models.inverter(generator)
    started = time.perf_counter()
    torch.manual_seed(seed)
    face = inverter.invert([sketch.pixels], [sketch.landmarks])[0]
    duration_ms = (time.perf_counter() - started) * 1000
    return Rendition(
        probe_id=sketch.probe.id,
        landmark_version_id=sketch.version.id,
        job_id=job.id,
        generator=generator,
        weights_sha256=inverter.weights_sha256[generator],
        seed=seed,
        parameters={
            **face.provenance,
            "landmarks": face.landmarks.tolist(),
            "sketch_mended": list(sketch.mended),
        },
        output_sha256=shop.store.put(encode_image(face.image)),
        device=shop.models.device,
        software_version=forensic.__version__,
        duration_ms=duration_ms,
        made_by_id=job.requested_by_id or sketch.probe.sealed_by_id,
    )
