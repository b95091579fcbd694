"""How near the faces that a method makes come to the true photos, with errors over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.cli.progress import show_progress
from forensic.faces.align import align_face
from forensic.identification.methods import Method
from forensic.images.tensors import images_to_tensor
from forensic.metrics.correlation import correlation
from forensic.metrics.psnr import psnr
from forensic.metrics.ssim import ssim
from forensic.reports.sections import MeanRecord, PublishedMean, QualityMethod, QualityRecord
from forensic.stats.bootstrap import bootstrap_mean
from pipelines.benchmark.cache import Cache, key_of
from pipelines.benchmark.embedding import (
    BATCH_SIZE,
    Located,
    OnDone,
    batched,
    code_version,
    read_image,
)
from pipelines.benchmark.folders import Pair
from pipelines.benchmark.system import System

METRICS = {"psnr": psnr, "ssim": ssim, "r": correlation}
SEED = 0
PaperMeans = Mapping[str, Mapping[str, tuple[float, float]]]
"""By method, then by metric: mean and standard error that a paper prints."""
Couple = tuple[Located, Located]


def quality_record(
    pairs: Sequence[Pair],
    located: Mapping[str, Sequence[Located]],
    system: System,
    cache: Cache,
    *,
    published: PaperMeans = MappingProxyType({}),
) -> QualityRecord | None:
    """Compare every machine-made face with the mate's photo, in the geometry of the former.

    Args:
        pairs: Sketches, mates, and who they show.
        located: Images with landmarks, by role; `sketch` and `photo` in the order of `pairs`.
        system: Its methods that use a generator are measured.
        cache: Keeps the figures of each pair.
        published: What a paper prints for the same protocol.

    Returns:
        The record, or None where no method makes a face or no pair has both.

    Raises:
        InputError: An image changed since its face was found, or the cache cannot be used.
    """
    rows = [
        row
        for row, couple in enumerate(zip(located["sketch"], located["photo"], strict=True))
        if all(item.found for item in couple)
    ]
    couples = [(located["sketch"][row], located["photo"][row]) for row in rows]
    people = np.array([pairs[row].person or pairs[row].probe_id for row in rows])
    makers = [method for method in system.methods if method.weights_sha256]
    methods = {}
    with show_progress("Measuring faces", len(couples) * len(makers)) as tell:
        for method in makers:
            values = _measure(couples, method, system, cache, tell)
            if len(values):
                methods[method.name] = _summary(values, people, published.get(method.name, {}))
    return QualityRecord(seed=SEED, methods=methods) if methods else None


def _measure(
    couples: Sequence[Couple], method: Method, system: System, cache: Cache, tell: OnDone
) -> NDArray[np.float64]:
    """Return (n, 3) figures of a method, or (0, 3) where it makes no faces."""
    code = code_version("faces", "images", "sketches", "generators", "identification", "metrics")
    keys = [
        key_of(
            step="quality",
            images=[item.image.sha256 for item in couple],
            landmarks=[item.found.landmarks.tolist() for item in couple if item.found],
            code=code,
            generators=method.weights_sha256,
            method=method.name,
            device=system.device,
        )
        for couple in couples
    ]
    known = cache.get(keys)
    todo = [row for row, key in enumerate(keys) if key not in known]
    tell(len(couples) - len(todo))
    for rows in batched(todo):
        values = _figures([couples[row] for row in rows], method)
        if not len(values):
            return np.empty((0, len(METRICS)))
        fresh = {keys[row]: v.tobytes() for row, v in zip(rows, values, strict=True)}
        cache.put(fresh)
        known.update(fresh)
        tell(len(rows))
    return np.array([np.frombuffer(known[key]) for key in keys]).reshape(-1, len(METRICS))


def _figures(couples: Sequence[Couple], method: Method) -> NDArray[np.float64]:
    """Return (n, 3) figures of at most one batch, always computed as a whole one."""
    padded = [*couples, *[couples[-1]] * (BATCH_SIZE - len(couples))]
    sketches = [read_image(sketch.image) for sketch, _ in padded]
    points = [sketch.found.landmarks for sketch, _ in padded if sketch.found]
    faces = [face for face in method.probe(sketches, points).faces[: len(couples)] if face]
    if not faces:
        return np.empty((0, len(METRICS)))
    true = [
        align_face(read_image(photo.image), photo.found.landmarks, face.provenance["geometry"])[0]
        for (_, photo), face in zip(couples, faces, strict=True)
        if photo.found
    ]
    made, targets = (images_to_tensor(np.stack(x)) for x in ([f.image for f in faces], true))
    return np.stack([m(made, targets).double().numpy() for m in METRICS.values()], axis=1)


def _summary(
    values: NDArray[np.float64], people: NDArray[Any], paper: Mapping[str, tuple[float, float]]
) -> QualityMethod:
    means = {
        name: _mean(column, people, paper.get(name))
        for name, column in zip(METRICS, values.T, strict=True)
    }
    return QualityMethod(faces=len(values), people=len(np.unique(people)), **means)


def _mean(
    values: NDArray[np.float64], people: NDArray[Any], paper: tuple[float, float] | None
) -> MeanRecord | None:
    has = np.isfinite(values)
    if not has.any():
        return None
    drawn = bootstrap_mean(values[has], clusters=people[has], seed=SEED)
    return MeanRecord(
        mean=drawn.mean,
        standard_error=drawn.standard_error,
        ci95=drawn.ci95,
        published=PublishedMean(mean=paper[0], standard_error=paper[1]) if paper else None,
    )
