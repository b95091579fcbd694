"""From located faces to vectors: all ways of an image in one pass, each batch kept in the cache.

Batches always have the same size, the last one padded with copies, because networks may round
differently at another batch size; a run that resumes then gives the very vectors of one that
was never stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forensic.identification.inverter import MachineMadeFace
from forensic.identification.probes import Probes
from forensic.values import RGB, Landmarks, Vectors
from pipelines.benchmark.batches import BATCH_SIZE, Clock, OnDone, work_on
from pipelines.benchmark.cache import Cache, code_version, key_of
from pipelines.benchmark.locating import Located, identity_of, read_image

PACKAGES = (
    "faces", "images", "sketches", "generators", "embedders", "identification", "backbones"
)  # fmt: skip
"""What the code of a vector may be: parts of `forensic`."""

Probe = Callable[[Sequence[RGB], Sequence[Landmarks]], Probes]


@dataclass(frozen=True)
class Embedded:
    """Vectors of some images.

    Attributes:
        vectors: (n, D) float32; the row of an image that was not enrolled is zero.
        enrolled: (n,) which rows are vectors.
    """

    vectors: Vectors
    enrolled: NDArray[np.bool_]


class FaceMeter(Protocol):
    """Measures the faces that a way makes, while they are there.

    Attributes:
        keys: By row, under which key of the cache its figures are kept; other rows have none.
    """

    keys: Mapping[int, str]

    def measure(
        self,
        rows: Sequence[int],
        images: Sequence[RGB],
        faces: Sequence[MachineMadeFace | None],
    ) -> dict[str, bytes]:
        """Return the figures of those rows that have a key; several threads may call it at once."""


@dataclass(frozen=True)
class Way:
    """One way from an image with landmarks to a vector.

    Attributes:
        name: Among all ways of the same images.
        identity: What its vectors depend on, such as the hashes of weights.
        probe: Turns exactly `BATCH_SIZE` images and landmarks into as many unit rows; several
            threads may call it at once.
        meter: Measures the faces that it makes.
    """

    name: str
    identity: Mapping[str, Any]
    probe: Probe
    meter: FaceMeter | None = None


def embed_located(
    located: Sequence[Located],
    ways: Sequence[Way],
    *,
    dimension: int,
    cache: Cache,
    on_done: OnDone,
    clock: Clock | None = None,
) -> dict[str, Embedded]:
    """Return by way the vectors of all images that have landmarks; each image is read once.

    Args:
        located: Images with or without landmarks.
        ways: What to make of every image.
        dimension: Length of a row.
        cache: Keeps the rows, and what the ways' meters measure.
        on_done: Told the number of vectors done since it was last called.
        clock: Told how long each way took.

    Raises:
        InputError: An image changed since its face was found, or the cache cannot be used.
    """
    timer = clock or Clock()
    code = code_version(*PACKAGES)
    tasks = [_Task(way, located, dimension, cache, code) for way in ways]
    on_done(sum(len(located) - len(task.missing) for task in tasks))

    def work(rows: Sequence[int]) -> list[_Made]:
        with timer.stage("reading"):
            images, points = _padded([located[row] for row in rows])
        due = [task for task in tasks if not task.missing.isdisjoint(rows)]
        return [task.make(rows, images, points, timer) for task in due]

    for rows, made in work_on(sorted(set().union(*(task.missing for task in tasks))), work):
        cache.put({key: value for one in made for key, value in one.entries.items()})
        for one in made:
            one.task.vectors[list(rows)] = one.vectors
            on_done(len(one.task.missing.intersection(rows)))
    enrolled = np.array([item.found is not None for item in located], dtype=bool)
    return {task.way.name: Embedded(task.vectors, enrolled) for task in tasks}


@dataclass(frozen=True)
class _Made:
    """What a way made of one batch, and what of it to keep."""

    task: _Task
    vectors: Vectors
    entries: dict[str, bytes]


class _Task:
    """One way over all images: what the cache knows already, and which rows are missing."""

    def __init__(
        self, way: Way, located: Sequence[Located], dimension: int, cache: Cache, code: str
    ) -> None:
        self.way = way
        self.keys = {
            row: key_of(
                step="vector",
                landmarks=item.found.landmarks.tolist(),
                code=code,
                **identity_of(item.image),
                **way.identity,
            )
            for row, item in enumerate(located)
            if item.found is not None
        }
        self.vectors: Vectors = np.zeros((len(located), dimension), dtype=np.float32)
        known = cache.get(self.keys.values())
        figures = way.meter.keys if way.meter else {}
        measured = cache.get(figures.values())
        self.missing = frozenset(
            row
            for row, key in self.keys.items()
            if key not in known or (row in figures and figures[row] not in measured)
        )
        for row in self.keys.keys() - self.missing:
            self.vectors[row] = np.frombuffer(known[self.keys[row]], dtype=np.float32)

    def make(
        self, rows: Sequence[int], images: Sequence[RGB], points: Sequence[Landmarks], clock: Clock
    ) -> _Made:
        """Return the vectors of a batch; images and points are padded, rows are not."""
        with clock.stage(self.way.name):
            probes = self.way.probe(images, points)
        vectors = probes.vectors[: len(rows)]
        entries = {self.keys[row]: v.tobytes() for row, v in zip(rows, vectors, strict=True)}
        if self.way.meter:
            with clock.stage("measuring faces"):
                entries |= self.way.meter.measure(
                    rows, images[: len(rows)], probes.faces[: len(rows)]
                )
        return _Made(self, vectors, entries)


def _padded(items: Sequence[Located]) -> tuple[list[RGB], list[Landmarks]]:
    """Return the images and points of a batch, its last one repeated to fill it."""
    images = [read_image(item.image) for item in items]
    points = [item.found.landmarks for item in items if item.found is not None]
    padding = BATCH_SIZE - len(items)
    return images + images[-1:] * padding, points + points[-1:] * padding
