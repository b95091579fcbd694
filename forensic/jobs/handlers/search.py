"""Running one search: renditions, embedding, fusion, the gallery, and the ranked list."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.orm import Session

import forensic
from db.models import Gallery, Job, Rendition, Search, SearchInput
from db.queries.jobs import end_job
from db.queries.probes import find_rendition
from db.queries.rows import get_row
from db.queries.searches import Outcome, RankedPhoto, list_inputs
from forensic.cases import renditions, searches
from forensic.embedders.embedder import Embedder
from forensic.errors import RecordConflict
from forensic.identification.enrol import embed_faces
from forensic.images.io import decode_image
from forensic.jobs.fusion import Weights, fuse
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.galleries.searching import Found
from forensic.jobs.handlers.renditions import SealedSketch, load_sketch, make_rendition
from forensic.jobs.tasks import Workshop, asker_of
from forensic.values import RGB, Landmarks, Vectors

SEED = 0
"""Of renditions that a search makes itself."""

_TRIES = 3
"""How often a search is repeated where a photo of its list was taken out at the last moment."""


@dataclass(frozen=True)
class Compared:
    """What is compared with the gallery.

    Attributes:
        images: Sketches, and faces made from them.
        landmarks: Five points of each, in its pixels.
        made: Renditions that the request did not name; some may have been made before.
        hashes: Role to the SHA-256 of the weights used.
    """

    images: list[RGB] = field(default_factory=list)
    landmarks: list[Landmarks] = field(default_factory=list)
    made: list[Rendition] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)

    def add(self, image: RGB, landmarks: Landmarks) -> None:
        """Compare one more image."""
        self.images.append(image)
        self.landmarks.append(landmarks)


class Stopwatch:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - started) * 1000
            self.timings_ms[name] = self.timings_ms.get(name, 0.0) + spent


@dataclass(frozen=True)
class Run:
    """One search while it is run."""

    shop: Workshop
    hold: Hold
    job: Job
    search: Search
    embedder: Embedder
    watch: Stopwatch


def run_search(shop: Workshop, hold: Hold, job: Job) -> None:
    """Run a search and keep its list, together with the end of its job.

    Raises:
        GalleryError: The gallery is empty, not published, or of another embedder.
        WeightsError: Weights are missing or damaged.
        InputError: A sketch or its landmarks cannot be used.
        StorageError: A file cannot be read or kept.
        JobError: The job is not ours any more.
        RecordConflict: Photos were taken out again and again while the list was being made.
    """
    search_id = uuid.UUID(job.parameters["search_id"])
    search = hold.read(lambda session: get_row(session, Search, search_id))
    gallery = hold.read(lambda session: get_row(session, Gallery, search.gallery_id))
    embedder = shop.models.embedder(gallery.embedder, weights_sha256=gallery.weights_sha256)
    run = Run(shop, hold, job, search, embedder, Stopwatch())
    compared = _gather(run)
    with run.watch.stage("embed"):
        vectors = embed_faces(embedder, compared.images, compared.landmarks)
    for tries_left in range(_TRIES - 1, -1, -1):
        found, weights = _look(run, vectors)
        try:
            _keep(run, compared, found, weights)
            return
        except RecordConflict:
            if not tries_left:
                raise


def _gather(run: Run) -> Compared:
    """Return the sketches and faces to compare, making the faces that are missing."""
    compared = Compared()
    sketches: dict[uuid.UUID, SealedSketch] = {}
    for given in run.hold.read(lambda session: list_inputs(session, run.search.id)):
        with run.watch.stage("decode"):
            sketch = load_sketch(run.shop, run.hold, given.probe_id, given.landmark_version_id)
        sketches[given.probe_id] = sketch
        if given.rendition_id is None:
            compared.add(sketch.pixels, sketch.landmarks)
        else:
            _add_rendition(run, compared, _read_rendition(run, given.rendition_id))
    if run.search.parameters["compare_sketch"]:  # else the request has named the renditions
        for sketch in sketches.values():
            for name in run.search.parameters["generators"]:
                with run.watch.stage("invert"):
                    made = _find_or_make(run, sketch, name)
                compared.made.append(made)
                _add_rendition(run, compared, made)
    return compared


def _read_rendition(run: Run, rendition_id: uuid.UUID) -> Rendition:
    return run.hold.read(lambda session: get_row(session, Rendition, rendition_id))


def _find_or_make(run: Run, sketch: SealedSketch, generator: str) -> Rendition:
    weights_sha256 = run.shop.models.inverter(generator).weights_sha256[generator]
    known = run.hold.read(
        lambda session: find_rendition(
            session,
            sketch.probe.id,
            landmark_version_id=sketch.version.id,
            generator=generator,
            weights_sha256=weights_sha256,
            seed=SEED,
        )
    )
    return known or make_rendition(run.shop, sketch, generator, job=run.job, seed=SEED)


def _add_rendition(run: Run, compared: Compared, made: Rendition) -> None:
    image = decode_image(run.shop.store.read(made.output_sha256), name="the rendition")
    compared.add(image, np.array(made.parameters["landmarks"], dtype=np.float32))
    compared.hashes[f"generator {made.generator}"] = made.weights_sha256


def _look(run: Run, vectors: Vectors) -> tuple[Found, Weights]:
    """Fuse the inputs and search the gallery; return the list and the weight of each input."""
    searcher, gallery_id = run.shop.searcher, run.search.gallery_id
    weights_sha256 = run.embedder.weights_sha256
    wanted = searches.filters_of(run.search.parameters)
    with run.watch.stage("fuse"):
        query, weights = fuse(
            vectors,
            run.search.parameters["fusion"],
            spread=lambda: searcher.similarity_spread(
                gallery_id, vectors, weights_sha256=weights_sha256, wanted=wanted
            ),
        )
    with run.watch.stage("search"):
        found = searcher.search(
            gallery_id,
            query,
            run.search.list_length,
            weights_sha256=weights_sha256,
            wanted=wanted,
        )
    return found, weights


def _keep(run: Run, compared: Compared, found: Found, weights: Weights) -> None:
    """Keep the list and end the job, both or neither."""
    outcome = _outcome(run, compared, found)
    ranked = [
        RankedPhoto(hit.photo_id, hit.similarity)
        for hit in found.lists[0]
        if run.search.threshold is None or hit.similarity >= run.search.threshold
    ]

    def keep(session: Session) -> None:
        end_job(session, run.job.id, run.shop.worker)  # first: refused if no longer ours
        actor = asker_of(run.job)
        made = [renditions.record_made(session, actor, row) for row in compared.made]
        searches.record_outcome(
            session,
            actor,
            run.search.id,
            outcome=outcome,
            ranked=ranked,
            made=[
                SearchInput(
                    probe_id=row.probe_id,
                    landmark_version_id=row.landmark_version_id,
                    rendition_id=row.id,
                )
                for row in made
            ],
            facts={"extent": outcome.extent, "weights_of_inputs": weights.round(6).tolist()},
        )

    run.hold.write(keep)


def _outcome(run: Run, compared: Compared, found: Found) -> Outcome:
    return Outcome(
        index_generation_id=found.generation_id,
        gallery_size=found.gallery_size,
        extent={
            "photos": found.n_searched,
            "subjects": found.n_subjects,
            "generation": found.generation_number,
            "is_current": found.is_current,
        },
        model_hashes={
            f"embedder {run.embedder.name}": run.embedder.weights_sha256,
            **compared.hashes,
        },
        device=found.device,
        is_exact=found.is_exact,
        measured_recall=found.measured_recall,
        timings_ms={stage: round(ms, 3) for stage, ms in run.watch.timings_ms.items()},
        software_version=forensic.__version__,
    )
