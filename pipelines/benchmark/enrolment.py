"""All images of a benchmark turned into vectors: faces first, then every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensic.cli.progress import show_progress
from forensic.errors import EmptyGallery, NoFaceError
from forensic.values import RGB, Landmarks, Vectors
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.embedding import (
    EmbedBatch,
    Embedded,
    FaceFinder,
    Located,
    embed_located,
    locate_faces,
)
from pipelines.benchmark.folders import PairsData
from pipelines.benchmark.system import System

SKETCHES = ("sketch", "non-mated", "calibration-sketch")


@dataclass(frozen=True)
class Enrolled:
    """Vectors of all images.

    Attributes:
        photos: By role: `photo`, `distractor` and perhaps `calibration-photo`.
        sketches: By role, then by method: `sketch`, perhaps `non-mated`, `calibration-sketch`.
    """

    photos: Mapping[str, Embedded]
    sketches: Mapping[str, Mapping[str, Embedded]]


def locate_all(data: PairsData, system: System, cache: Cache) -> dict[str, list[Located]]:
    """Return images with landmarks by role, see `PairsData.roles`.

    Raises:
        NoFaceError: No sketch of a role can be used.
        EmptyGallery: No mate's photo can be used.
        DataFolderError: The cache cannot be used.
    """
    roles = data.roles()
    located = {}
    with show_progress("Finding faces", sum(map(len, roles.values()))) as tell:
        for role, images in roles.items():
            located[role] = locate_faces(
                images,
                finder=_finder(system, role),
                cache=cache,
                given=data.given.get(role, {}),
                on_done=tell,
            )
    errors: dict[str, type[NoFaceError | EmptyGallery]] = {
        "sketch": NoFaceError, "photo": EmptyGallery, "non-mated": NoFaceError
    }  # fmt: skip
    for role, error in errors.items():
        if role in located and not any(item.found for item in located[role]):
            raise error(
                f"None of the {len(located[role])} {role} files can be used. The first, "
                f"{located[role][0].image.name}: {located[role][0].reason}"
            )
    return located


def embed_all(located: Mapping[str, Sequence[Located]], system: System, cache: Cache) -> Enrolled:
    """Return the vectors of photos, and those of sketches by every method.

    Raises:
        InputError: An image changed meanwhile, or the cache cannot be used.
    """
    n_methods = len(system.methods)
    total = sum(len(i) * (n_methods if role in SKETCHES else 1) for role, i in located.items())
    with show_progress("Embedding", total) as tell:

        def embed(role: str, step: str, function: EmbedBatch) -> Embedded:
            return embed_located(
                located[role],
                embed=function,
                dimension=system.embedder.dimension,
                identity=system.identity(step),
                cache=cache,
                on_done=tell,
            )

        photos = {
            role: embed(role, "gallery", system.embed_photos)
            for role in located
            if role not in SKETCHES
        }
        sketches = {
            role: {m.name: embed(role, m.name, _prober(m)) for m in system.methods}
            for role in located
            if role in SKETCHES
        }
    return Enrolled(photos, sketches)


def _finder(system: System, role: str) -> FaceFinder:
    if role in SKETCHES:
        return system.sketch_finder
    return system.distractor_finder if role == "distractor" else system.photo_finder


def _prober(method: Any) -> EmbedBatch:
    def embed(images: Sequence[RGB], landmarks: Sequence[Landmarks]) -> Vectors:
        vectors: Vectors = method.probe(images, landmarks).vectors
        return vectors

    return embed
