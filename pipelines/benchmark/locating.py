"""From image files to faces: five points in each, batch by batch, each batch kept in the cache."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from forensic.errors import ImageError, InputError
from forensic.images.io import decode_image
from forensic.values import RGB, Landmarks
from pipelines.benchmark.batches import Clock, OnDone, work_on
from pipelines.benchmark.cache import Cache, code_version, key_of
from pipelines.benchmark.folders import ImageFile


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
        """Return the landmarks of each image, or why it has none. Threads may call it at once."""


@dataclass(frozen=True)
class Located:
    """An image with its landmarks, or with the reason why it cannot be enrolled."""

    image: ImageFile
    found: Found | None
    reason: str | None = None


def locate_faces(
    images: Sequence[ImageFile],
    *,
    finder: FaceFinder,
    cache: Cache,
    given: Mapping[str, Landmarks],
    on_done: OnDone,
    clock: Clock | None = None,
) -> list[Located]:
    """Return every image with its landmarks, from the user, the cache, or the finder.

    Args:
        images: Files to look at.
        finder: Asked for images that are in neither `given` nor the cache.
        cache: Keeps what the finder found.
        given: Landmarks by name of the image; they need no finder.
        on_done: Told the number of images done since it was last called.
        clock: Told how long it took.

    Raises:
        DataFolderError: The cache cannot be used.
    """
    timer = clock or Clock()
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

    def look(batch: Sequence[tuple[ImageFile, str]]) -> list[bytes | ImageError]:
        with timer.stage("finding faces"):
            return _look([image for image, _ in batch], finder)

    for batch, seen in work_on(todo, look):
        pairs = list(zip(batch, seen, strict=True))
        cache.put({key: entry for (_, key), entry in pairs if isinstance(entry, bytes)})
        for (image, _), entry in pairs:
            located[image.name] = (
                _from_json(image, entry)
                if isinstance(entry, bytes)
                else Located(image, None, str(entry))
            )
        on_done(len(batch))
    return [located[image.name] for image in images]


def read_image(image: ImageFile) -> RGB:
    """Decode one file; messages name it as reports do, without the folders of this machine.

    Raises:
        ImageError: It cannot be read or used.
    """
    try:
        return decode_image(image.path.read_bytes(), name=image.name)
    except OSError as error:
        raise ImageError(f"{image.name} cannot be read: {error.strerror}.", reason="io") from error


def _look(images: Sequence[ImageFile], finder: FaceFinder) -> list[bytes | ImageError]:
    """Return what to keep of each image, or why it cannot be read, which is not kept."""
    read = [_read(image) for image in images]
    outcomes = iter(finder.find([image for image in read if not isinstance(image, ImageError)]))
    return [image if isinstance(image, ImageError) else _to_json(next(outcomes)) for image in read]


def _read(image: ImageFile) -> RGB | ImageError:
    try:
        return read_image(image)
    except ImageError as error:
        return error


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
