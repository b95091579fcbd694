"""One experiment: every sketch searched by every method, and the figures that come of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from forensic.cli.progress import show_progress
from forensic.embedders.embedder import Embedder
from forensic.errors import EmptyGallery, NoFaceError
from forensic.files import sha256_of_bytes
from forensic.reports.record import BenchmarkReport, EmbedderRecord, FailureRecord
from forensic.runtime import provenance
from forensic.values import LEAD_ONLY, RGB, Landmarks, Vectors
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.embedding import (
    BATCH_SIZE,
    Embedded,
    FaceFinder,
    Located,
    embed_located,
    locate_faces,
)
from pipelines.benchmark.folders import ImageFile, PairsData
from pipelines.benchmark.scoring import (
    Gallery,
    Published,
    Searches,
    build_gallery,
    compare_methods,
    score_method,
    search_all,
)
from pipelines.benchmark.system import System


@dataclass(frozen=True)
class Outcome:
    """A finished benchmark, with what the pages need beyond the report."""

    report: BenchmarkReport
    data: PairsData
    gallery: Gallery
    searches: Mapping[str, Searches]
    sketches: Sequence[Located]


def run_pairs(
    data: PairsData,
    system: System,
    *,
    cache_folder: Path,
    sketch_kind: str,
    command: list[str],
    benchmark: str = "pairs",
    published: Mapping[str, Published] = MappingProxyType({}),
) -> Outcome:
    """Search the gallery with every sketch by every method, and work out the statistics.

    Args:
        data: The images.
        system: What is under test.
        cache_folder: Keeps landmarks and vectors, so that a killed run goes on where it was.
        sketch_kind: What kind of sketches these are, as the user says.
        command: What to record as the command.
        benchmark: Name of the protocol, see `BenchmarkReport`.
        published: Figures of a paper for the same protocol, by method.

    Raises:
        NoFaceError: No sketch can be used.
        EmptyGallery: No mate's photo can be used.
        DataFolderError: The cache cannot be used.
    """
    started = time.time()
    with Cache(cache_folder) as cache:
        located = _locate_all(data, system, cache)
        photos, distractors, methods = _embed_all(located, system, cache)
    names = [pair.photo.name for pair in data.pairs] + [d.name for d in data.distractors]
    gallery = build_gallery(photos, distractors, names)
    searches = {name: search_all(probes, gallery) for name, probes in methods.items()}
    ids = [pair.probe_id for pair in data.pairs]
    report = BenchmarkReport(
        notice=LEAD_ONLY,
        benchmark=benchmark,  # type: ignore[arg-type]  # likewise
        format=1,
        sketch_kind=sketch_kind,  # type: ignore[arg-type]  # checked by the model
        probes=len(ids),
        gallery=gallery.size,
        gallery_enrolled=len(gallery.vectors),
        distractors=len(data.distractors),
        duplicates_left_out=data.duplicates,
        landmarks={role: _sources(items) for role, items in located.items()},
        embedder=embedder_record(system.embedder),
        methods={
            method.name: score_method(
                searches[method.name].ranks,
                ids,
                gallery_size=gallery.size,
                weights_sha256=method.weights_sha256,
                published=published.get(method.name),
            )
            for method in system.methods
        },
        comparisons=compare_methods({name: found.ranks for name, found in searches.items()}),
        failures=_failures(located),
        provenance=_provenance(data, system, command, started),
    )
    return Outcome(report, data, gallery, searches, located["sketch"])


def embedder_record(embedder: Embedder) -> EmbedderRecord:
    """Return what a report says of an embedder."""
    return EmbedderRecord(
        name=embedder.name,
        dimension=embedder.dimension,
        template=embedder.template,
        weights_sha256=embedder.weights_sha256,
    )


def _locate_all(data: PairsData, system: System, cache: Cache) -> dict[str, list[Located]]:
    """Return images with landmarks by role."""
    roles: dict[str, tuple[list[ImageFile], FaceFinder]] = {
        "sketch": ([pair.sketch for pair in data.pairs], system.sketch_finder),
        "photo": ([pair.photo for pair in data.pairs], system.photo_finder),
        "distractor": (data.distractors, system.distractor_finder),
    }
    located = {}
    with show_progress("Finding faces", sum(len(images) for images, _ in roles.values())) as tell:
        for role, (images, finder) in roles.items():
            given = data.given[role]
            located[role] = locate_faces(
                images, finder=finder, cache=cache, given=given, on_done=tell
            )
    for role, error in (("sketch", NoFaceError), ("photo", EmptyGallery)):
        if not any(item.found for item in located[role]):
            raise error(
                f"None of the {len(located[role])} {role} files can be used. The first, "
                f"{located[role][0].image.name}: {located[role][0].reason}"
            )
    return located


def _embed_all(
    located: Mapping[str, Sequence[Located]], system: System, cache: Cache
) -> tuple[Embedded, Embedded, dict[str, Embedded]]:
    """Return the vectors of photos and distractors, and those of the sketches by method."""
    n_photos = len(located["photo"]) + len(located["distractor"])
    total = n_photos + len(system.methods) * len(located["sketch"])
    with show_progress("Embedding", total) as tell:

        def embed(role: str, step: str, function: Any) -> Embedded:
            return embed_located(
                located[role],
                embed=function,
                dimension=system.embedder.dimension,
                identity=system.identity(step),
                cache=cache,
                on_done=tell,
            )

        photos = embed("photo", "gallery", system.embed_photos)
        distractors = embed("distractor", "gallery", system.embed_photos)
        methods = {m.name: embed("sketch", m.name, _prober(m)) for m in system.methods}
    return photos, distractors, methods


def _prober(method: Any) -> Any:
    def embed(images: Sequence[RGB], landmarks: Sequence[Landmarks]) -> Vectors:
        vectors: Vectors = method.probe(images, landmarks).vectors
        return vectors

    return embed


def _sources(located: Sequence[Located]) -> dict[str, int]:
    return dict(sorted(Counter(i.found.source if i.found else "none" for i in located).items()))


def _failures(located: Mapping[str, Sequence[Located]]) -> list[FailureRecord]:
    return [
        FailureRecord(role=role, name=item.image.name, reason=item.reason or "")  # type: ignore[arg-type]
        for role, items in located.items()
        for item in items
        if item.found is None
    ]


def _provenance(
    data: PairsData, system: System, command: list[str], started: float
) -> dict[str, Any]:
    return {
        **provenance(command),
        "device": system.device,
        "batch_size": BATCH_SIZE,
        "ties": "pessimistic",
        "data_sha256": {
            role: _hash_of(images)
            for role, images in (
                ("sketches", [pair.sketch for pair in data.pairs]),
                ("photos", [pair.photo for pair in data.pairs]),
                ("distractors", data.distractors),
            )
            if images
        },
        "times": {
            "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - started, 1),
        },
    }


def _hash_of(images: Sequence[ImageFile]) -> str:
    """Return one hash over all contents, whatever the files are called."""
    return sha256_of_bytes("\n".join(sorted(image.sha256 for image in images)).encode())
