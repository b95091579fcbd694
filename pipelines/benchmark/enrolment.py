"""All images of a benchmark turned into vectors: faces first, then every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from forensic.cli.progress import show_progress
from forensic.errors import EmptyGallery, NoFaceError
from forensic.identification.probes import Probes
from forensic.values import RGB, Landmarks
from pipelines.benchmark.batches import Clock
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.embedding import Embedded, FaceMeter, Way, embed_located
from pipelines.benchmark.folders import PairsData
from pipelines.benchmark.locating import FaceFinder, Located, locate_faces
from pipelines.benchmark.system import System

GALLERY = "gallery"
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


def locate_all(
    data: PairsData, system: System, cache: Cache, *, clock: Clock | None = None
) -> dict[str, list[Located]]:
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
                clock=clock,
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


def embed_all(
    located: Mapping[str, Sequence[Located]],
    system: System,
    cache: Cache,
    *,
    meters: Mapping[str, FaceMeter] = MappingProxyType({}),
    clock: Clock | None = None,
) -> Enrolled:
    """Return the vectors of photos, and those of sketches by every method.

    Args:
        located: Images by role.
        system: Its methods embed the sketches.
        cache: Keeps the vectors.
        meters: By method, who measures the faces that it makes of the probes.
        clock: Told how long everything took.

    Raises:
        InputError: An image changed meanwhile, or the cache cannot be used.
    """
    photos, sketches = {}, {}
    ways = {role: _ways(role, system, meters) for role in located}
    with show_progress("Embedding", sum(len(ways[r]) * len(i) for r, i in located.items())) as tell:
        for role, items in located.items():
            vectors = embed_located(
                items,
                ways[role],
                dimension=system.embedder.dimension,
                cache=cache,
                on_done=tell,
                clock=clock,
            )
            if role in SKETCHES:
                sketches[role] = vectors
            else:
                photos[role] = vectors[GALLERY]
    return Enrolled(photos, sketches)


def gallery_way(system: System) -> Way:
    """Return how photos are embedded."""

    def probe(images: Sequence[RGB], landmarks: Sequence[Landmarks]) -> Probes:
        return Probes(system.embed_photos(images, landmarks), (None,) * len(images))

    return Way(GALLERY, system.identity(GALLERY), probe)


def _ways(role: str, system: System, meters: Mapping[str, FaceMeter]) -> list[Way]:
    if role not in SKETCHES:
        return [gallery_way(system)]
    measured = meters if role == "sketch" else {}
    return [
        Way(m.name, system.identity(m.name), m.probe, measured.get(m.name)) for m in system.methods
    ]


def _finder(system: System, role: str) -> FaceFinder:
    if role in SKETCHES:
        return system.sketch_finder
    return system.distractor_finder if role == "distractor" else system.photo_finder
