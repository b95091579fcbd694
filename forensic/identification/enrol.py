"""From photo files to unit vectors: decode, detect, align, embed, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from forensic.embedders.embedder import Embedder
from forensic.errors import InputError
from forensic.faces.align import TEMPLATES, align_face
from forensic.faces.detect import FaceDetector
from forensic.faces.search import find_faces
from forensic.images.io import load_image
from forensic.values import RGB, Landmarks, Vectors

DECODED_PER_TEMPLATE = 8
"""Sides of a photo keep this many times the template's size when a large JPEG is decoded smaller.

The detector looks for faces of an eighth of the shorter side and more, so even the smallest of
them fills the template without being enlarged.
"""


@dataclass(frozen=True)
class Photo:
    """A photo to enrol and the names under which its vector is stored."""

    path: Path
    photo_id: str
    subject_id: str


@dataclass(frozen=True)
class Rejection:
    """A photo that gave no vector, and why."""

    photo_id: str
    reason: str


@dataclass(frozen=True)
class Enrolment:
    """What became of a set of photos.

    Attributes:
        vectors: (N, D) unit rows, in the order of `photos`.
        photos: The N photos that gave a vector.
        rejected: The others, each with its reason.
    """

    vectors: Vectors
    photos: tuple[Photo, ...]
    rejected: tuple[Rejection, ...]


class FaceEnroller:
    """Turns photos into vectors, batch by batch, decoding the next batch meanwhile.

    Args:
        embedder: Gives the vectors.
        detector: Finds the faces.
        allow_many: Take the heaviest face of `choose_face` even where another one competes.
        batch_size: Photos that go through detector and embedder together.
        n_threads: Threads that decode and align; decoding releases Python's lock.
    """

    def __init__(
        self,
        *,
        embedder: Embedder,
        detector: FaceDetector,
        allow_many: bool = False,
        batch_size: int = 32,
        n_threads: int = 2,
    ) -> None:
        self.embedder = embedder
        self._detector = detector
        self._allow_many = allow_many
        self._batch_size = batch_size
        self._n_threads = n_threads

    def enrol(
        self, photos: Iterable[Photo], *, on_photos: Callable[[int], None] | None = None
    ) -> Enrolment:
        """Return the vectors of all photos that show one usable face, and why others do not.

        Args:
            photos: Photos in any formats and sizes.
            on_photos: Told the number of photos done since it was last called.
        """
        kept: list[Photo] = []
        rejected: list[Rejection] = []
        rows: list[Vectors] = [np.zeros((0, self.embedder.dimension), dtype=np.float32)]
        needed = DECODED_PER_TEMPLATE * max(TEMPLATES[self.embedder.template].size_hw)
        with ThreadPoolExecutor(self._n_threads) as pool:
            for batch in _loaded_batches(pool, photos, size=self._batch_size, at_least_px=needed):
                vectors, good, bad = self._enrol_batch(pool, batch)
                rows.append(vectors)
                kept += good
                rejected += bad
                if on_photos:
                    on_photos(len(batch))
        return Enrolment(np.concatenate(rows), tuple(kept), tuple(rejected))

    def _enrol_batch(
        self, pool: ThreadPoolExecutor, batch: list[tuple[Photo, RGB | InputError]]
    ) -> tuple[Vectors, list[Photo], list[Rejection]]:
        rejected = [Rejection(p.photo_id, str(i)) for p, i in batch if isinstance(i, InputError)]
        usable = [(photo, image) for photo, image in batch if not isinstance(image, InputError)]
        images = [image for _, image in usable]
        faces = find_faces(images, self._detector, kind="photo", allow_many=self._allow_many)
        kept: list[Photo] = []
        crops: list[Future[tuple[RGB, Landmarks]]] = []
        for (photo, image), face in zip(usable, faces, strict=True):
            if isinstance(face, InputError):
                rejected.append(Rejection(photo.photo_id, str(face)))
            else:
                kept.append(photo)
                template = self.embedder.template
                crops.append(pool.submit(align_face, image, face.landmarks, template))
        if not kept:
            return np.zeros((0, self.embedder.dimension), dtype=np.float32), [], rejected
        return self.embedder.embed(np.stack([c.result()[0] for c in crops])), kept, rejected


def embed_faces(
    embedder: Embedder, images: Sequence[RGB], landmarks: Sequence[Landmarks]
) -> Vectors:
    """Return one unit row per face, (B, dimension), brought into the embedder's geometry first.

    Raises:
        LandmarksError: Landmarks are not those of an upright face.
        ShapeError: An image is not (H, W, 3).
        DtypeError: An image is not uint8.
    """
    if not images:
        return np.zeros((0, embedder.dimension), dtype=np.float32)
    pairs = zip(images, landmarks, strict=True)
    return embedder.embed(
        np.stack([align_face(image, points, embedder.template)[0] for image, points in pairs])
    )


def _load(photo: Photo, at_least_px: int) -> tuple[Photo, RGB | InputError]:
    try:
        return photo, load_image(photo.path, at_least_px=at_least_px)
    except InputError as error:
        return photo, error


def _loaded_batches(
    pool: ThreadPoolExecutor, photos: Iterable[Photo], *, size: int, at_least_px: int
) -> Iterator[list[tuple[Photo, RGB | InputError]]]:
    """Yield decoded batches; while one is worked on, the next is being decoded."""
    remaining = iter(photos)

    def submit() -> list[Future[tuple[Photo, RGB | InputError]]]:
        return [pool.submit(_load, photo, at_least_px) for photo in islice(remaining, size)]

    ahead = submit()
    while ahead:
        current, ahead = ahead, submit()
        yield [future.result() for future in current]
