"""A system of fakes: it obeys every contract, needs no weights, and takes no time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forensic.errors import InputError, NoFaceError
from forensic.files import sha256_of_file
from forensic.identification.enrol import embed_faces
from forensic.identification.probes import Probes
from forensic.images.io import write_image
from forensic.values import RGB, Landmarks
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.folders import ImageFile
from pipelines.benchmark.locating import Found, Located, locate_faces
from pipelines.benchmark.system import System
from tests.support.fakes import FakeEmbedder

LANDMARKS = np.array([(75, 110), (125, 110), (100, 140), (80, 165), (120, 165)], np.float32)


class FakeFinder:
    """Finds the same five points everywhere, and nothing in an image that is all white."""

    def __init__(self, *, fails_after: int | None = None) -> None:
        self.identity = {"finder": "fake"}
        self.seen = 0
        self._fails_after = fails_after

    def find(self, images: Sequence[RGB]) -> list[Found | InputError]:
        if self._fails_after is not None and self.seen >= self._fails_after:
            raise KeyboardInterrupt
        self.seen += len(images)
        return [
            NoFaceError("No face was found.") if image.min() == 255 else Found(LANDMARKS, "fake")
            for image in images
        ]


class FakeMethod:
    """Embeds the sketch, or, when `blind`, something that has nothing to do with it."""

    def __init__(self, name: str = "none", *, blind: bool = False) -> None:
        self.name = name
        self.embedder = FakeEmbedder()
        self.weights_sha256 = {name: "a" * 64} if blind else {}
        self.batch_sizes: list[int] = []
        self._blind = blind

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> Probes:
        self.batch_sizes.append(len(sketches))
        images = [np.roll(s[::-1, ::-1], 60, axis=0) for s in sketches] if self._blind else sketches
        return Probes(embed_faces(self.embedder, images, landmarks), (None,) * len(sketches))


def fake_system(
    *, methods: Sequence[FakeMethod] | None = None, finder: FakeFinder | None = None
) -> System:
    chosen = finder or FakeFinder()
    return System(
        embedder=FakeEmbedder(),
        methods=tuple(methods or [FakeMethod()]),
        photo_finder=chosen,
        distractor_finder=chosen,
        sketch_finder=chosen,
        device="cpu",
    )


def noise_images(folder: Path, count: int) -> list[ImageFile]:
    """Write small noise pictures: nothing here looks for a real face."""
    generator = np.random.default_rng(0)
    images = []
    for number in range(count):
        path = folder / f"{number}.png"
        write_image(path, generator.integers(0, 255, size=(200, 200, 3), dtype=np.uint8))
        images.append(ImageFile(path, path.name, sha256_of_file(path)))
    return images


def locate(images: list[ImageFile], finder: FakeFinder, cache: Cache) -> list[Located]:
    """Find the faces without given points and without anybody who watches."""
    return locate_faces(images, finder=finder, cache=cache, given={}, on_done=lambda _: None)
