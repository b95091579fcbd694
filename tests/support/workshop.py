"""A worker's workshop over real records, files and indexes, with small models."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import torch
from sqlalchemy import Engine

from db.models import Job
from db.queries.galleries import create_gallery
from db.queries.photos import NewPhoto, add_photos
from db.queries.rows import get_row
from db.session import session_scope
from forensic.embedders.embedder import Embedder
from forensic.errors import IndexMismatch
from forensic.faces.detect import FaceDetector
from forensic.identification.enrol import embed_faces
from forensic.identification.inverter import SketchInverter
from forensic.identification.methods import DirectMethod
from forensic.identification.probes import Method, Probes
from forensic.images.io import encode_image
from forensic.jobs.galleries.projection import publish
from forensic.jobs.galleries.searching import GallerySearcher
from forensic.jobs.handlers.registry import HANDLERS
from forensic.jobs.tasks import Workshop, run_job
from forensic.storage import FileStore
from forensic.values import RGB, Landmarks
from forensic.weights.fusions import Fusion, FusionPart
from tests.support.fakes import FakeEmbedder
from tests.support.generators import small_generator
from tests.support.images import face_landmarks, face_photo

FUSION_PARTS = (
    FusionPart("adapter", 4.0, {"adapter": "b" * 64}),
    FusionPart("none", 2.0, {}),
    FusionPart("csi-line", 1.0, {"csi-line": "a" * 64}),
)


class TurnedSketches(DirectMethod):
    """In place of an adapter: the embedder sees the sketch mirrored."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder=embedder, name="adapter")
        self.weights_sha256 = {"adapter": "b" * 64}

    def probe(
        self, sketches: Sequence[RGB], landmarks: Sequence[Landmarks], *, is_simulated: bool = False
    ) -> Probes:
        return super().probe([s[:, ::-1].copy() for s in sketches], landmarks)


class FakeModels:
    """Small models in place of trained ones; the detector is the real one."""

    device = "cpu"

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.fitted = Fusion("fake", "f" * 64, FUSION_PARTS, 0.0, {})

    def detector(self) -> FaceDetector:
        return FaceDetector("cpu")

    def embedder(self, name: str, *, weights_sha256: str | None = None) -> Embedder:
        found = FakeEmbedder()
        if weights_sha256 not in (None, found.weights_sha256):
            raise IndexMismatch("other weights")
        return found

    def inverter(self, generator: str) -> SketchInverter:
        self.loaded.append(generator)
        small = replace(small_generator(), name=generator)
        return SketchInverter(small, device=torch.device("cpu"))

    def fusion(self, embedder: Embedder) -> Fusion:
        return self.fitted

    def method(self, name: str, embedder: Embedder) -> Method:
        assert name == "adapter"
        return TurnedSketches(embedder)


def make_workshop(
    engine: Engine, store: FileStore, folder: Path, *, lease_s: float = 60, worker: str = "w1"
) -> Workshop:
    """Return a workshop; two of them with different names are two workers."""
    return Workshop(
        engine=engine,
        store=store,
        galleries=folder,
        models=FakeModels(),
        searcher=GallerySearcher(engine, folder),
        worker=worker,
        lease=timedelta(seconds=lease_s),
    )


def do(shop: Workshop, job_id: uuid.UUID | None) -> Job:
    """Do one job and return it as it is then."""
    run_job(shop, cast("uuid.UUID", job_id), HANDLERS)
    with session_scope(shop.engine, read_only=True) as session:
        return get_row(session, Job, job_id)


def phantom_gallery(
    shop: Workshop, seeds: range, *, sex: str | None = None, name: str = "phantoms"
) -> uuid.UUID:
    """Enrol one photo of each phantom, called `phantom N`, and publish the gallery."""
    embedder = FakeEmbedder()
    photos = []
    for seed in seeds:
        photo, points = face_photo(seed), face_landmarks(seed)
        vector = embed_faces(embedder, [photo], [points])[0]
        photos.append(
            NewPhoto(
                subject_external_id=f"phantom {seed}",
                sha256=shop.store.put(encode_image(photo)),
                source=f"{seed}.png",
                size_px=(200, 250),
                vector=vector.astype("<f4").tobytes(),
                quality={},
                landmarks=points.tolist(),
                sex=sex if seed % 2 else "x",
            )
        )
    with session_scope(shop.engine) as session:
        gallery = create_gallery(
            session,
            name=name,
            embedder=embedder.name,
            weights_sha256=embedder.weights_sha256,
            dimension=embedder.dimension,
            policy={},
        )
        add_photos(session, gallery.id, photos)
    publish(shop.engine, shop.galleries, gallery.id)
    return gallery.id
