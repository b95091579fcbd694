"""Images that a gallery is searched with: photos seen as the gallery's own were, or sketches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from forensic.cases.intake import IntakePolicy, Refusal
from forensic.embedders.embedder import Embedder
from forensic.errors import InputError
from forensic.faces.detect import FaceDetector
from forensic.faces.search import find_face
from forensic.files import sha256_of_bytes
from forensic.identification.probes import Method
from forensic.images.io import list_images, load_image
from forensic.jobs.galleries.examine import Examined, Examiner
from forensic.jobs.galleries.intake import embed_each
from forensic.sketches.normalise import normalise_sketch
from forensic.values import Vectors

BATCH_SIZE = 32


def lenient(policy: IntakePolicy) -> IntakePolicy:
    """Return a gallery's policy for probes: no limits, for a poor probe is still a probe."""
    return policy.model_copy(update={"min_face_px": 1, "min_sharpness": 0.0})


@dataclass(frozen=True)
class Probe:
    """One image that a gallery may be searched with.

    Attributes:
        path: Where it lies.
        sha256: Of the file; None where it cannot be read.
        vector: (D,) float32 of unit length, or None.
        refusal: Why it has no vector.
    """

    path: Path
    sha256: str | None
    vector: Vectors | None = None
    refusal: Refusal | None = None


def images_of(paths: Sequence[Path]) -> list[Path]:
    """Return the images named, and those below the folders named.

    Raises:
        DataFolderError: A folder holds no image.
    """
    found: list[Path] = []
    for path in paths:
        found += list_images(path) if path.is_dir() else [path]
    return found


def probe_photos(
    paths: Iterable[Path], *, embedder: Embedder, examiner: Examiner
) -> Iterator[list[Probe]]:
    """Yield photos in batches, examined and embedded exactly as an import does it."""
    remaining = iter(paths)
    while batch := list(islice(remaining, BATCH_SIZE)):
        contents = [_read(path) for path in batch]
        answers = iter(examiner([data for data in contents if isinstance(data, bytes)]))
        seen = [next(answers) if isinstance(data, bytes) else data for data in contents]
        vectors = iter(embed_each(embedder, [a.face for a in seen if isinstance(a, Examined)]))
        probes = []
        for path, data, answer in zip(batch, contents, seen, strict=True):
            sha256 = sha256_of_bytes(data) if isinstance(data, bytes) else None
            outcome = next(vectors) if isinstance(answer, Examined) else answer
            if isinstance(outcome, Refusal):
                probes.append(Probe(path, sha256, refusal=outcome))
            else:
                probes.append(Probe(path, sha256, vector=outcome))
        yield probes


def probe_sketches(
    paths: Iterable[Path], *, method: Method, detector: FaceDetector
) -> Iterator[list[Probe]]:
    """Yield sketches one by one, turned into vectors by a method."""
    for path in paths:
        content = _read(path)
        if isinstance(content, Refusal):
            yield [Probe(path, None, refusal=content)]
            continue
        sha256 = sha256_of_bytes(content)
        try:
            drawing = normalise_sketch(load_image(path), name=path.name).image
            landmarks = find_face(drawing, detector, kind="sketch").landmarks
            made = method.probe([drawing], [landmarks])
        except InputError as error:
            yield [Probe(path, sha256, refusal=Refusal("no_face", str(error)))]
        else:
            yield [Probe(path, sha256, vector=made.vectors[0])]


def vectors_of(probes: Sequence[Probe]) -> Vectors:
    """Return the vectors of the probes that have one, (Q, D)."""
    return np.stack([probe.vector for probe in probes if probe.vector is not None])


def _read(path: Path) -> bytes | Refusal:
    try:
        return path.read_bytes()
    except OSError as error:
        return Refusal("unreadable", f"{error.strerror}.")
