"""From image files to faces: five points in each, batch by batch, each batch kept in the cache."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from forensic.errors import ImageError, InputError
from forensic.images.io import decode_image
from forensic.sketches.normalise import NormalisedSketch, normalise_sketch
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
    """An image with its landmarks, or with the reason why it cannot be enrolled.

    Attributes:
        image: The file.
        found: Where its face is.
        reason: Why there is none.
        mended: What was mended in a drawing, see `normalise_sketch`.
    """

    image: ImageFile
    found: Found | None
    reason: str | None = None
    mended: tuple[str, ...] = ()


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
    keys = [key_of(**identity_of(image), **identity) for image in images]
    known = cache.get(keys)
    located: dict[str, Located] = {}
    todo = []
    for image, key in zip(images, keys, strict=True):
        if image.name in given:
            located[image.name] = _with_given(image, given[image.name])
        elif key in known:
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


def identity_of(image: ImageFile) -> dict[str, str]:
    """Return what the pixels of `read_image` depend on, as parts of a key of the cache."""
    mended = {"mended": _mender()} if image.is_drawing else {}
    return {"image": image.sha256, **mended}


@functools.cache
def _mender() -> str:
    """Return the version of what mends drawings; asked for every image."""
    return code_version("sketches")


def read_image(image: ImageFile) -> RGB:
    """Decode one file as the product does: a drawing is mended; anything else is left as it is.

    Messages name it as reports do, without the folders of this machine.

    Raises:
        ImageError: It cannot be read or used, or is a drawing and shows nothing.
    """
    return _read(image).image


def _read(image: ImageFile) -> NormalisedSketch:
    """Return the image, and what was mended in it.

    Raises:
        ImageError: As for `read_image`.
    """
    try:
        pixels = decode_image(image.path.read_bytes(), name=image.name)
    except OSError as error:
        raise ImageError(f"{image.name} cannot be read: {error.strerror}.", reason="io") from error
    if image.is_drawing:
        return normalise_sketch(pixels, name=image.name)
    return NormalisedSketch(pixels, ())


def _with_given(image: ImageFile, points: Landmarks) -> Located:
    """Return an image with the user's landmarks; they do not help one that cannot be used."""
    seen = _try_to_read(image)
    if isinstance(seen, ImageError):
        return Located(image, None, str(seen))
    return Located(image, Found(points, "given"), mended=seen.steps)


def _look(images: Sequence[ImageFile], finder: FaceFinder) -> list[bytes | ImageError]:
    """Return what to keep of each image, or why it cannot be used, which is not kept."""
    read = [_try_to_read(image) for image in images]
    outcomes = iter(finder.find([seen.image for seen in read if not isinstance(seen, ImageError)]))
    return [
        seen if isinstance(seen, ImageError) else _to_json(next(outcomes), seen.steps)
        for seen in read
    ]


def _try_to_read(image: ImageFile) -> NormalisedSketch | ImageError:
    try:
        return _read(image)
    except ImageError as error:
        return error


def _to_json(outcome: Found | InputError, steps: tuple[str, ...]) -> bytes:
    if isinstance(outcome, InputError):
        return json.dumps({"reason": str(outcome), "mended": steps}).encode()
    entry = {"landmarks": outcome.landmarks.tolist(), "source": outcome.source, "mended": steps}
    return json.dumps(entry).encode()


def _from_json(image: ImageFile, data: bytes) -> Located:
    entry = json.loads(data)
    mended = tuple(entry.get("mended", ()))  # older entries are of photos only, never mended
    if "reason" in entry:
        return Located(image, None, entry["reason"], mended)
    found = Found(np.array(entry["landmarks"], np.float32), entry["source"])
    return Located(image, found, mended=mended)
