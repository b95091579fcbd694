"""From image files to landmarks to vectors, batch by batch, each batch kept in the cache.

Batches always have the same size, the last one padded with copies, because networks may round
differently at another batch size; a run that resumes then gives the very vectors of one that
was never stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

import forensic
from forensic.errors import ImageError, InputError
from forensic.images.io import decode_image
from forensic.values import RGB, Landmarks, Vectors
from pipelines.benchmark.cache import Cache, key_of
from pipelines.benchmark.folders import ImageFile

T = TypeVar("T")
BATCH_SIZE = 16
MAKERS = (
    "matchers.py",
    "simulated.py",
    "sketch_domain.py",
)  # modules beside this one on which vectors depend
EmbedBatch = Callable[[Sequence[RGB], Sequence[Landmarks]], Vectors]
OnDone = Callable[[int], None]


@dataclass(frozen=True)
class Found:
    """Five points and what found them."""

    landmarks: Landmarks
    source: str


class FaceFinder(Protocol):
    """Finds the one face that each image is about.

    Attributes:
        identity: Everything the outcome depends on; part of the cache key.
    """

    identity: Mapping[str, Any]

    def find(self, images: Sequence[RGB]) -> list[Found | InputError]:
        """Return the landmarks of each image, or why it has none."""


@dataclass(frozen=True)
class Located:
    """An image with its landmarks, or with the reason why it cannot be enrolled."""

    image: ImageFile
    found: Found | None
    reason: str | None = None


@dataclass(frozen=True)
class Embedded:
    """Vectors of some images.

    Attributes:
        vectors: (n, D) float32; the row of an image that was not enrolled is zero.
        enrolled: (n,) which rows are vectors.
    """

    vectors: Vectors
    enrolled: NDArray[np.bool_]


def locate_faces(
    images: Sequence[ImageFile],
    *,
    finder: FaceFinder,
    cache: Cache,
    given: Mapping[str, Landmarks],
    on_done: OnDone,
) -> list[Located]:
    """Return every image with its landmarks, from the user, the cache, or the finder.

    Args:
        images: Files to look at.
        finder: Asked for images that are in neither `given` nor the cache.
        cache: Keeps what the finder found.
        given: Landmarks by name of the image; they need no finder.
        on_done: Told the number of images done since it was last called.

    Raises:
        DataFolderError: The cache cannot be used.
    """
    identity = {"step": "landmarks", "code": code_version("faces", "images"), **finder.identity}
    keys = [key_of(image=image.sha256, **identity) for image in images]
    known = cache.get(keys)
    located: dict[str, Located] = {
        image.name: Located(image, Found(given[image.name], "given"))
        for image in images
        if image.name in given
    }
    todo = []
    for image, key in zip(images, keys, strict=True):
        if image.name in located:
            continue
        if key in known:
            located[image.name] = _from_json(image, known[key])
        else:
            todo.append((image, key))
    on_done(len(located))
    for batch in batched(todo):
        located.update(_locate_batch(batch, finder, cache))
        on_done(len(batch))
    return [located[image.name] for image in images]


def embed_located(
    located: Sequence[Located],
    *,
    embed: EmbedBatch,
    dimension: int,
    identity: Mapping[str, Any],
    cache: Cache,
    on_done: OnDone,
) -> Embedded:
    """Return the vectors of all images that have landmarks.

    Args:
        located: Images with or without landmarks.
        embed: Turns exactly `BATCH_SIZE` images and landmarks into as many unit rows.
        dimension: Length of a row.
        identity: Everything that `embed` depends on, such as the hashes of weights.
        cache: Keeps the rows.
        on_done: Told the number of images done since it was last called.

    Raises:
        InputError: An image changed since its face was found, or the cache cannot be used.
    """
    packages = ("faces", "images", "sketches", "generators", "embedders", "identification",
                "backbones")  # fmt: skip
    code = code_version(*packages)
    keys = {
        row: key_of(
            step="vector",
            image=item.image.sha256,
            landmarks=item.found.landmarks.tolist(),
            code=code,
            **identity,
        )
        for row, item in enumerate(located)
        if item.found is not None
    }
    known = cache.get(keys.values())
    todo = [row for row, key in keys.items() if key not in known]
    on_done(len(located) - len(todo))
    for rows in batched(todo):
        vectors = _embed_batch([located[row] for row in rows], embed)
        fresh = {keys[row]: v.tobytes() for row, v in zip(rows, vectors, strict=True)}
        cache.put(fresh)
        known.update(fresh)
        on_done(len(rows))
    result = np.zeros((len(located), dimension), dtype=np.float32)
    for row, key in keys.items():
        result[row] = np.frombuffer(known[key], dtype=np.float32)
    return Embedded(result, np.array([item.found is not None for item in located], dtype=bool))


def batched(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield consecutive parts of at most `BATCH_SIZE` items."""
    for start in range(0, len(items), BATCH_SIZE):
        yield items[start : start + BATCH_SIZE]


def read_image(image: ImageFile) -> RGB:
    """Decode one file; messages name it as reports do, without the folders of this machine.

    Raises:
        ImageError: It cannot be read or used.
    """
    try:
        return decode_image(image.path.read_bytes(), name=image.name)
    except OSError as error:
        raise ImageError(f"{image.name} cannot be read: {error.strerror}.", reason="io") from error


def code_version(*packages: str) -> str:
    """Return a hash of the source of some packages, of `MAKERS`, and of the libraries below.

    A cached value outlives no change of the code that made it.
    """
    digest = hashlib.sha256()
    root = Path(forensic.__file__).parent
    for package in packages:
        for path in sorted((root / package).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in MAKERS:
        digest.update(name.encode() + b"\0" + Path(__file__).with_name(name).read_bytes())
    for library in ("torch", "onnxruntime", "pillow", "numpy"):
        digest.update(f"{library} {metadata.version(library)}\0".encode())
    return digest.hexdigest()


def _locate_batch(
    batch: Sequence[tuple[ImageFile, str]], finder: FaceFinder, cache: Cache
) -> dict[str, Located]:
    located, readable = {}, []
    for image, key in batch:
        try:
            readable.append((image, key, read_image(image)))
        except ImageError as error:
            located[image.name] = Located(image, None, str(error))
    outcomes = finder.find([pixels for _, _, pixels in readable])
    fresh = {}
    for (image, key, _), outcome in zip(readable, outcomes, strict=True):
        fresh[key] = _to_json(outcome)
        located[image.name] = _from_json(image, fresh[key])
    cache.put(fresh)
    return located


def _embed_batch(items: Sequence[Located], embed: EmbedBatch) -> Vectors:
    padded = [*items, *[items[-1]] * (BATCH_SIZE - len(items))]
    images = [read_image(item.image) for item in items]
    images += [images[-1]] * (BATCH_SIZE - len(items))
    points = [item.found.landmarks for item in padded if item.found is not None]
    return embed(images, points)[: len(items)]


def _to_json(outcome: Found | InputError) -> bytes:
    if isinstance(outcome, InputError):
        return json.dumps({"reason": str(outcome)}).encode()
    entry = {"landmarks": outcome.landmarks.tolist(), "source": outcome.source}
    return json.dumps(entry).encode()


def _from_json(image: ImageFile, data: bytes) -> Located:
    entry = json.loads(data)
    if "reason" in entry:
        return Located(image, None, entry["reason"])
    return Located(image, Found(np.array(entry["landmarks"], np.float32), entry["source"]))
