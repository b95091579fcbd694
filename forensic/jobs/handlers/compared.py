"""What one search compares with the gallery: sketches, and faces made from them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from db.models import Job, Rendition, Search
from db.queries.probes import find_rendition
from db.queries.rows import get_row
from db.queries.searches import list_inputs
from forensic.embedders.embedder import Embedder
from forensic.images.io import decode_image
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.handlers.renditions import SealedSketch, load_sketch, make_rendition
from forensic.jobs.tasks import Workshop
from forensic.values import RGB, Landmarks

SEED = 0
"""Of renditions that a search makes itself."""

SKETCH = "none"
"""Where an image comes from that is the sketch itself: the name of that method."""


@dataclass(frozen=True)
class Compared:
    """What is compared with the gallery.

    Attributes:
        images: Sketches, and faces made from them.
        landmarks: Five points of each, in its pixels.
        origins: `SKETCH` for a sketch, else the generator that made the face.
        made: Renditions that the request did not name; some may have been made before.
        hashes: Role to the SHA-256 of the weights used.
    """

    images: list[RGB] = field(default_factory=list)
    landmarks: list[Landmarks] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    made: list[Rendition] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)

    def add(self, image: RGB, landmarks: Landmarks, origin: str) -> None:
        """Compare one more image."""
        self.images.append(image)
        self.landmarks.append(landmarks)
        self.origins.append(origin)

    def rows_of(self, origin: str) -> list[int]:
        """Return which images come from there, in the order of the sketches."""
        return [row for row, known in enumerate(self.origins) if known == origin]


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


def gather(run: Run) -> Compared:
    """Return the sketches and faces to compare, making the faces that are missing."""
    compared = Compared()
    sketches: dict[uuid.UUID, SealedSketch] = {}
    for given in run.hold.read(lambda session: list_inputs(session, run.search.id)):
        with run.watch.stage("decode"):
            sketch = load_sketch(run.shop, run.hold, given.probe_id, given.landmark_version_id)
        sketches[given.probe_id] = sketch
        if given.rendition_id is None:
            compared.add(sketch.pixels, sketch.landmarks, SKETCH)
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
    points = np.array(made.parameters["landmarks"], dtype=np.float32)
    compared.add(image, points, made.generator)
    compared.hashes[f"generator {made.generator}"] = made.weights_sha256
