"""How near the faces that a method makes come to the true photos, with errors over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.errors import InputError
from forensic.faces.align import align_face
from forensic.identification.inverter import MachineMadeFace
from forensic.identification.probes import Method
from forensic.images.frame import create_frame
from forensic.images.tensors import images_to_tensor
from forensic.metrics.correlation import correlation
from forensic.metrics.psnr import psnr
from forensic.metrics.ssim import ssim
from forensic.reports.sections import MeanRecord, PublishedMean, QualityMethod, QualityRecord
from forensic.stats.bootstrap import bootstrap_mean
from forensic.values import RGB
from pipelines.benchmark.cache import Cache, code_version, key_of
from pipelines.benchmark.folders import Pair
from pipelines.benchmark.locating import Located, identity_of, read_image
from pipelines.benchmark.system import System

METRICS = {"psnr": psnr, "ssim": ssim, "r": correlation}
SEED = 0
PaperMeans = Mapping[str, Mapping[str, tuple[float, float]]]
"""By method, then by metric: mean and standard error that a paper prints."""
Couple = tuple[Located, Located]


class QualityMeter:
    """Compares the faces of one method with the mates' photos, in the geometry of the former.

    Args:
        method: Makes the faces.
        couples: By row, a sketch and its mate's photo, both with landmarks.
        device: Where the method computes.

    Attributes:
        keys: Where the cache keeps the figures of a row: nothing for a face that was not made.
    """

    def __init__(self, method: Method, couples: Mapping[int, Couple], *, device: str) -> None:
        packages = ("faces", "images", "sketches", "generators", "identification", "metrics")
        code = code_version(*packages)
        self._couples = couples
        self.keys: Mapping[int, str] = {
            row: key_of(
                step="quality",
                images=[identity_of(item.image) for item in couple],
                landmarks=[item.found.landmarks.tolist() for item in couple if item.found],
                code=code,
                generators=method.weights_sha256,
                method=method.name,
                device=device,
            )
            for row, couple in couples.items()
        }

    def measure(
        self,
        rows: Sequence[int],
        images: Sequence[RGB],
        faces: Sequence[MachineMadeFace | None],
    ) -> dict[str, bytes]:
        """Return the figures of those rows that have a mate's photo, by key.

        Raises:
            ImageError: A photo changed since its face was found.
        """
        mine = [of for of in zip(rows, images, faces, strict=True) if of[0] in self.keys]
        entries = {self.keys[row]: b"" for row, _, _ in mine}
        made = [(row, face, self._truth(row, image, face)) for row, image, face in mine if face]
        if made:
            ours = images_to_tensor(np.stack([face.image for _, face, _ in made]))
            true = images_to_tensor(np.stack([photo for _, _, photo in made]))
            columns = [metric(ours, true).double().numpy() for metric in METRICS.values()]
            for (row, _, _), figures in zip(made, np.stack(columns, axis=1), strict=True):
                entries[self.keys[row]] = figures.tobytes()
        return entries

    def _truth(self, row: int, image: RGB, face: MachineMadeFace) -> RGB:
        """Return the mate's photo as the face should look."""
        sketch, photo = self._couples[row]
        if photo.found is None:
            raise InputError(f"{photo.image.name} shows no face.")
        same = sketch.image == photo.image
        picture = image if same else read_image(photo.image)
        seen = face.provenance
        whole = align_face(picture, photo.found.landmarks, seen["geometry"])[0]
        return create_frame(**seen["frame"]).apply(whole)


def create_meters(
    located: Mapping[str, Sequence[Located]], system: System
) -> dict[str, QualityMeter]:
    """Return a meter for each method that uses a generator.

    Args:
        located: Images with landmarks by role; `sketch` and `photo` in the order of the pairs.
        system: Its methods make the faces.
    """
    couples = {
        row: couple
        for row, couple in enumerate(zip(located["sketch"], located["photo"], strict=True))
        if all(item.found for item in couple)
    }
    return {
        method.name: QualityMeter(method, couples, device=system.device)
        for method in system.methods
        if method.weights_sha256
    }


def quality_record(
    pairs: Sequence[Pair],
    meters: Mapping[str, QualityMeter],
    cache: Cache,
    *,
    published: PaperMeans = MappingProxyType({}),
) -> QualityRecord | None:
    """Return the means of what the meters measured while the probes were embedded.

    Args:
        pairs: Who is shown, by row.
        meters: By method.
        cache: Holds the figures.
        published: What a paper prints for the same protocol.

    Returns:
        The record, or None where no method makes a face or no pair has both.

    Raises:
        DataFolderError: The cache cannot be used.
    """
    methods = {}
    for name, meter in meters.items():
        known = cache.get(meter.keys.values())
        rows = [row for row, key in meter.keys.items() if known.get(key)]
        if rows:
            values = np.stack([np.frombuffer(known[meter.keys[row]]) for row in rows])
            people = np.array([pairs[row].person or pairs[row].probe_id for row in rows])
            methods[name] = _summary(values, people, published.get(name, {}))
    return QualityRecord(seed=SEED, methods=methods) if methods else None


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
