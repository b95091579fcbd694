"""One experiment: every sketch searched by every method, and the figures that come of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from forensic.embedders.embedder import Embedder, parts_of
from forensic.files import sha256_of_bytes
from forensic.identification.probes import Method
from forensic.reports.record import BenchmarkReport, EmbedderRecord, FailureRecord, SameHandRecord
from forensic.reports.sections import LikelihoodRecord
from forensic.runtime import provenance
from forensic.values import LEAD_ONLY
from pipelines.benchmark.batches import BATCH_SIZE, Clock
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.disjoint import check_parts
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.enrolment import Enrolled, embed_all, locate_all
from pipelines.benchmark.folders import ImageFile, PairsData
from pipelines.benchmark.growth import SEED as GROWTH_SEED
from pipelines.benchmark.growth import growth_record
from pipelines.benchmark.likelihood import check_calibration, likelihood_record
from pipelines.benchmark.locating import Located
from pipelines.benchmark.quality import SEED as BOOTSTRAP_SEED
from pipelines.benchmark.quality import PaperMeans, create_meters, quality_record
from pipelines.benchmark.scoring import (
    Gallery,
    Published,
    Searches,
    build_gallery,
    compare_methods,
    score_method,
    search_all,
)
from pipelines.benchmark.stored import StoredGallery, without_mates
from pipelines.benchmark.strangers import cohort_records, open_set_record
from pipelines.benchmark.system import System

FPIRS = (0.1, 0.01, 0.001)
ROLES = {"sketch": "sketches", "photo": "photos", "distractor": "distractors"}


@dataclass(frozen=True)
class Outcome:
    """A finished benchmark, with what the pages need beyond the report."""

    report: BenchmarkReport
    data: PairsData
    gallery: Gallery
    searches: Mapping[str, Searches]
    sketches: Sequence[Located]


@dataclass(frozen=True)
class Extras:
    """What a run works out beyond ranks.

    Attributes:
        subject: Whose sketches and photos these are.
        fpirs: Wanted false alarm rates, for non-mated probes.
        labels: By column, the label of each probe, for rates per cohort at the first of `fpirs`.
        stored: People of a stored index, who fill the gallery too.
        published_means: A paper's figures of image quality for the same protocol.
    """

    subject: str = ""
    fpirs: tuple[float, ...] = FPIRS
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stored: StoredGallery | None = None
    published_means: PaperMeans = field(default_factory=dict)


def run_pairs(
    data: PairsData,
    system: System,
    *,
    cache_folder: Path,
    sketch_kind: str,
    command: list[str],
    benchmark: str = "pairs",
    published: Mapping[str, Published] = MappingProxyType({}),
    extras: Extras = Extras(),
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
        extras: What to work out beyond ranks.

    Raises:
        NoFaceError: No sketch can be used.
        EmptyGallery: No mate's photo can be used.
        CalibrationError: The calibration set is too small or carries no information.
        DataFolderError: Parts of the data share people, or the cache cannot be used.
    """
    started, clock = time.time(), Clock()
    check_parts(data, extras.stored.subjects if extras.stored else ())
    check_calibration(data, sketch_kind)
    with Cache(cache_folder) as cache:
        located = locate_all(data, system, cache, clock=clock)
        meters = create_meters(located, system)
        enrolled = embed_all(located, system, cache, meters=meters, clock=clock)
        with clock.stage("bootstrap"):
            quality = quality_record(data.pairs, meters, cache, published=extras.published_means)
    gallery, twice = _gallery(data, enrolled, extras.stored)
    probes = enrolled.sketches["sketch"]
    with clock.stage("searching"):
        searches = {name: search_all(own, gallery) for name, own in probes.items()}
    ids = [pair.probe_id for pair in data.pairs]
    n_stored = len(extras.stored.names) - len(twice) if extras.stored else 0
    report = BenchmarkReport(
        notice=LEAD_ONLY,
        benchmark=benchmark,  # type: ignore[arg-type]  # likewise
        format=1,
        sketch_kind=sketch_kind,  # type: ignore[arg-type]  # checked by the model
        subject=extras.subject,
        probes=len(ids),
        gallery=gallery.size,
        gallery_enrolled=len(gallery.vectors),
        distractors=len(data.distractors) + n_stored,
        duplicates_left_out=[*data.duplicates, *twice],
        landmarks=_landmarks(located, n_stored),
        mended=_mended(located),
        same_hand=_same_hand(system),
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
        comparisons=compare_methods(
            {name: found.ranks for name, found in searches.items()},
            primary=_from_one_sketch(system.methods),
        ),
        failures=_failures(located),
        quality=quality,
        growth=growth_record(probes, gallery),
        likelihood=_likelihood(enrolled, sketch_kind, gallery.size),
        provenance=_provenance(data, system, command, (started, clock), extras.stored),
        **_open_set(data, enrolled, gallery, searches, extras),
    )
    return Outcome(report, data, gallery, searches, located["sketch"])


def _from_one_sketch(methods: Sequence[Method]) -> set[tuple[str, str]]:
    """Return those pairs of methods of which one is the very sketch that the other starts from."""
    pairs = set()
    for a, b in combinations(methods, 2):
        styles = [getattr(method, "style", None) for method in (a, b)]
        if styles[0] == styles[1] and any(not method.weights_sha256 for method in (a, b)):
            pairs.add((a.name, b.name))
    return pairs


def embedder_record(embedder: Embedder) -> EmbedderRecord:
    """Return what a report says of an embedder."""
    return EmbedderRecord(
        name=embedder.name,
        dimension=embedder.dimension,
        template=embedder.template,
        weights_sha256=embedder.weights_sha256,
        parts=parts_of(embedder),
    )


def _gallery(
    data: PairsData, enrolled: Enrolled, stored: StoredGallery | None
) -> tuple[Gallery, Sequence[str]]:
    """Return the gallery, and the names of stored photos left out as copies of a mate's."""
    photos, others = enrolled.photos["photo"], enrolled.photos["distractor"]
    names = [pair.photo.name for pair in data.pairs] + [d.name for d in data.distractors]
    if stored is None:
        return build_gallery(photos, others, names), []
    kept, twice = without_mates(stored, photos, data.pairs)
    more = Embedded(
        np.concatenate([others.vectors, kept.vectors]),
        np.concatenate([others.enrolled, np.ones(len(kept.vectors), dtype=bool)]),
    )
    return build_gallery(photos, more, names + kept.names), twice


def _open_set(
    data: PairsData,
    enrolled: Enrolled,
    gallery: Gallery,
    searches: Mapping[str, Searches],
    extras: Extras,
) -> dict[str, Any]:
    """Return the parts of the report that need searches for people who are not enrolled."""
    if not data.nonmated:
        return {}
    nobody = np.full(len(data.nonmated), -1, dtype=np.intp)
    strangers = {
        name: search_all(probes, gallery, mates=nobody)
        for name, probes in enrolled.sketches["non-mated"].items()
    }
    mated_ids = [pair.probe_id for pair in data.pairs]
    nonmated_ids = [image.id for image in data.nonmated]
    return {
        "open_set": open_set_record(searches, strangers, nonmated_ids, fpirs=extras.fpirs),
        "cohorts": cohort_records(
            searches,
            strangers,
            extras.labels,
            mated_ids=mated_ids,
            nonmated_ids=nonmated_ids,
            fpir=extras.fpirs[0],
        ),
    }


def _likelihood(enrolled: Enrolled, sketch_kind: str, gallery: int) -> LikelihoodRecord | None:
    if "calibration-photo" not in enrolled.photos:
        return None
    return likelihood_record(
        enrolled.sketches["calibration-sketch"],
        enrolled.photos["calibration-photo"],
        enrolled.sketches["sketch"],
        enrolled.photos["photo"],
        sketch_kind=sketch_kind,
        gallery=gallery,
    )


def _landmarks(
    located: Mapping[str, Sequence[Located]], n_stored: int
) -> dict[str, dict[str, int]]:
    found = {role: _sources(items) for role, items in located.items()}
    if n_stored:
        found["distractor"]["stored index"] = n_stored
    return found


def _sources(located: Sequence[Located]) -> dict[str, int]:
    return dict(sorted(Counter(i.found.source if i.found else "none" for i in located).items()))


def _mended(located: Mapping[str, Sequence[Located]]) -> dict[str, dict[str, int]]:
    """Return how many drawings were mended in which way, by role; no role is empty."""
    found = {
        role: Counter(s for item in items for s in item.mended) for role, items in located.items()
    }
    return {role: dict(sorted(steps.items())) for role, steps in found.items() if steps}


def _same_hand(system: System) -> SameHandRecord | None:
    hand = system.same_hand
    if hand is None:
        return None
    return SameHandRecord(
        sketches=len(hand.sketches), sha256=hand.sha256, rejected=dict(hand.rejected)
    )


def _failures(located: Mapping[str, Sequence[Located]]) -> list[FailureRecord]:
    return [
        FailureRecord(role=role, name=item.image.name, reason=item.reason or "")  # type: ignore[arg-type]
        for role, items in located.items()
        for item in items
        if item.found is None
    ]


def _provenance(
    data: PairsData,
    system: System,
    command: list[str],
    times: tuple[float, Clock],
    stored: StoredGallery | None,
) -> dict[str, Any]:
    started, clock = times
    return {
        **provenance(command),
        "device": system.device,
        "batch_size": BATCH_SIZE,
        "ties": "pessimistic",
        "seeds": {"bootstrap": BOOTSTRAP_SEED, "gallery growth": GROWTH_SEED},
        "data_sha256": {
            ROLES.get(role, role): _hash_of(images)
            for role, images in data.roles().items()
            if images
        }
        | ({"stored index": stored.sha256} if stored else {}),
        "times": {
            "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - started, 1),
            "work_seconds_by_stage": clock.seconds(),
        },
    }


def _hash_of(images: Sequence[ImageFile]) -> str:
    """Return one hash over all contents, whatever the files are called."""
    return sha256_of_bytes("\n".join(sorted(image.sha256 for image in images)).encode())
