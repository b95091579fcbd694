"""Imports without networks: small files that say what they show, and vectors made of hashes."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, select

from db.models import Embedding, Gallery, Job, JobItem, Photo, Subject
from db.queries import jobs
from db.queries.galleries import create_gallery
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases.intake import ImportSource, IntakePolicy
from forensic.jobs.galleries.imports import run_import
from forensic.jobs.galleries.intake import LocalIntake
from forensic.storage import FileStore
from tests.support.words import make_word_examiner

LEASE = timedelta(seconds=60)
DIMENSION = 8


class HashEmbedder:
    """A face's vector is drawn from its pixels; faces are 4×4."""

    name = "hash"
    dimension = DIMENSION
    template = "hash-4"
    weights_sha256 = "a" * 64

    def embed(self, faces: Any) -> Any:
        seeds = [int.from_bytes(hashlib.sha256(face.tobytes()).digest()[:8]) for face in faces]
        rows = np.stack([np.random.default_rng(s).standard_normal(DIMENSION) for s in seeds])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def word_intake(*, processes: int = 0) -> LocalIntake:
    return LocalIntake(HashEmbedder(), make_examiner=make_word_examiner, processes=processes)


def make_gallery(engine: Engine, name: str = "mugshots", **policy: Any) -> uuid.UUID:
    with session_scope(engine) as session:
        return create_gallery(
            session,
            name=name,
            embedder=HashEmbedder.name,
            weights_sha256=HashEmbedder.weights_sha256,
            dimension=DIMENSION,
            policy=IntakePolicy(**policy).model_dump(mode="json"),
        ).id


def queue_import(engine: Engine, gallery_id: uuid.UUID, source: ImportSource) -> uuid.UUID:
    with session_scope(engine) as session:
        parameters = {"source": source.model_dump(mode="json")}
        job = jobs.create_job(session, kind="import", parameters=parameters, gallery_id=gallery_id)
        return job.id


def run(engine: Engine, job_id: uuid.UUID, base: Path, **options: Any) -> Job:
    """Claim a job and do it; `base` holds store and indexes."""
    worker = options.pop("worker", "w")
    with session_scope(engine) as session:
        jobs.claim_job(session, job_id, worker, lease=LEASE)
    options = {"intake": word_intake(), "store": FileStore(str(base / "files")), **options}
    return run_import(
        engine, job_id, worker=worker, lease=LEASE, folder=base / "galleries", **options
    )


def import_folder(
    engine: Engine, gallery_id: uuid.UUID, folder: Path, base: Path, **options: Any
) -> Job:
    source = ImportSource(kind="folder", path=folder, subject_from="folder")
    return run(engine, queue_import(engine, gallery_id, source), base, **options)


def write_files(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def items_of(engine: Engine, job_id: uuid.UUID) -> list[tuple[str, str, str | None]]:
    """Name, state and reason of each item, in order."""
    with session_scope(engine, read_only=True) as session:
        rows = session.scalars(
            select(JobItem).where(JobItem.job_id == job_id).order_by(JobItem.position)
        )
        return [(row.name, row.state.value, row.reason_code) for row in rows]


def contents_of(engine: Engine, gallery_id: uuid.UUID) -> dict[str, tuple[str, str, str, bytes]]:
    """SHA-256 of each photo with its person, place, state and vector; fails if one comes twice."""
    with session_scope(engine, read_only=True) as session:
        rows = session.execute(
            select(Photo.sha256, Subject.external_id, Photo.source, Photo.state, Embedding.vector)
            .join(Subject, Subject.id == Photo.subject_id)
            .outerjoin(Embedding, Embedding.photo_id == Photo.id)
            .where(Photo.gallery_id == gallery_id)
        ).all()
        assert len({row[0] for row in rows}) == len(rows), "a photo came twice"
        assert session.get(Gallery, gallery_id) is not None
    return {row[0]: (row[1], row[2], row[3].value, row[4]) for row in rows}


def published_photos(engine: Engine, gallery_id: uuid.UUID, base: Path) -> int:
    """How many photos the published generation holds, after checking every byte of it."""
    from db.queries.indexes import find_active_generation
    from forensic.gallery.generation import open_generation
    from forensic.jobs.galleries.projection import generation_folder

    with session_scope(engine, read_only=True) as session:
        active = find_active_generation(session, gallery_id)
    assert active is not None
    folder = generation_folder(base / "galleries", active)
    generation = open_generation(folder, manifest_sha256=str(active.manifest_sha256))
    assert len(generation.photo_ids) == active.photo_count
    return int(active.photo_count or 0)


def end_state(
    engine: Engine, gallery_id: uuid.UUID, job_id: uuid.UUID, base: Path
) -> dict[str, object]:
    """Everything that an import leaves behind, but for numbers and times."""
    with session_scope(engine, read_only=True) as session:
        job = get_row(session, Job, job_id)
    return {
        "job": (job.state.value, job.total, job.done, job.counts),
        "items": items_of(engine, job_id),
        "photos": contents_of(engine, gallery_id),
        "published": published_photos(engine, gallery_id, base),
    }


def files_of(base: Path) -> set[str]:
    kept = (base / "files").rglob("*")
    return {p.parent.name + p.name for p in kept if p.is_file() and p.parent.name != "incoming"}
