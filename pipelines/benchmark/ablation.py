"""`forensic benchmark ablation`: what each part of the fusion `best` adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensic.embedders.registry import create_embedder
from forensic.files import write_json
from forensic.identification.fusion import fuse_vectors
from forensic.reports.tables import interval, p_value, percent
from forensic.runtime import choose_device
from forensic.stats.binomial import clopper_pearson
from forensic.stats.mcnemar import compare_paired
from forensic.stats.multiplicity import holm
from forensic.values import Vectors
from forensic.weights.fusions import BEST, find_fusion
from forensic.weights.store import choose_weights_folder
from pipelines.benchmark.cache import Cache, default_cache_folder
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.enrolment import embed_all, locate_all
from pipelines.benchmark.folders import read_data
from pipelines.benchmark.scoring import build_gallery, search_all
from pipelines.benchmark.system import create_system

Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class AblationOptions:
    """What the user asks for; see `forensic benchmark ablation --help`."""

    sets: tuple[Path, ...]
    distractors: tuple[Path, ...]
    beside: tuple[str, ...]
    embedder: str
    device: str


def benchmark_ablation(
    options: AblationOptions, *, out: Path, cache: Path | None, environment: Mapping[str, str]
) -> str:
    """Search each set with the fusion, with each part left out, and with single methods.

    The weights of the other parts stay as they are. All sets count together, each probe in the
    gallery of its own set; tests are exact McNemar against the whole fusion, Holm-corrected.

    Returns:
        What to tell the user; the same table is written to `out` as JSON.

    Raises:
        MissingWeights: No fusion was fitted for the embedder.
        ForensicError: Anything else that the user can mend.
    """
    weights = choose_weights_folder(environment)
    judge = create_embedder(options.embedder, device=choose_device(options.device), weights=weights)
    fusion = find_fusion(judge.name, judge.weights_sha256, folder=weights)
    parts = {part.method: part.weight for part in fusion.parts}
    system = create_system(
        embedder=options.embedder,
        methods=list(dict.fromkeys((*parts, *options.beside))),
        device=options.device,
        weights=weights,
        allow_many=True,
    )
    found: list[dict[str, Hits]] = []
    with Cache(cache or default_cache_folder(environment)) as store:
        for folder in options.sets:
            data = read_data(
                folder / "photos", folder / "sketches", distractors=options.distractors
            )
            enrolled = embed_all(locate_all(data, system, store), system, store)
            photos, others = enrolled.photos["photo"], enrolled.photos["distractor"]
            names = [pair.photo.name for pair in data.pairs] + [d.name for d in data.distractors]
            gallery = build_gallery(photos, others, names)
            ways = fused_ways(enrolled.sketches["sketch"], parts)
            found.append({name: search_all(own, gallery).ranks <= 1 for name, own in ways.items()})
    pooled = {name: np.concatenate([hits[name] for hits in found]) for name in found[0]}
    table = ablation_table(pooled)
    sizes = ", ".join(
        f"{folder.parent.name}/{folder.name} {len(hits[BEST])}"
        for folder, hits in zip(options.sets, found, strict=True)
    )
    title = f"What each part of best adds, rank 1, {len(pooled[BEST])} sketches: {sizes}"
    write_json(out, {title: table})
    return "\n".join([title, *(f"{name:24} {told}" for name, told in table.items()), str(out)])


def fused_ways(sketches: Mapping[str, Embedded], parts: Mapping[str, float]) -> dict[str, Embedded]:
    """Return the whole fusion, the fusion without each part, and every single method.

    Args:
        sketches: Vectors of the same sketches by method.
        parts: Weight of each part of the fusion.
    """
    ways = {BEST: _fused(sketches, parts)}
    for left_out in parts if len(parts) > 1 else ():
        others = {name: weight for name, weight in parts.items() if name != left_out}
        ways[f"without {left_out}"] = _fused(sketches, others)
    return ways | {f"{name} alone": own for name, own in sketches.items()}


def ablation_table(hits: Mapping[str, Hits]) -> dict[str, str]:
    """Return each way's rate with its interval, and its test against the whole fusion.

    Args:
        hits: By way, for every probe whether its mate was first; `best` among them.
    """
    tests = {n: compare_paired(hits[BEST], own) for n, own in hits.items() if n != BEST}
    adjusted = holm([test.p_value for test in tests.values()]) if tests else ()
    table = {BEST: _rate(hits[BEST])}
    for (name, test), p in zip(tests.items(), adjusted, strict=True):
        table[name] = (
            f"{_rate(hits[name])}; only best {test.only_first}, only this {test.only_second}; "
            f"McNemar exact p {p_value(test.p_value)}, after Holm {p_value(float(p))}"
        )
    return table


def _fused(sketches: Mapping[str, Embedded], parts: Mapping[str, float]) -> Embedded:
    enrolled = next(iter(sketches.values())).enrolled
    rows = {name: sketches[name].vectors[enrolled] for name in parts}
    dimension: Sequence[int] = next(iter(sketches.values())).vectors.shape
    vectors: Vectors = np.zeros(dimension, dtype=np.float32)
    vectors[enrolled] = fuse_vectors(rows, parts)
    return Embedded(vectors, enrolled)


def _rate(hits: Hits) -> str:
    found, n = int(hits.sum()), len(hits)
    return f"{percent(found / n)} ({found} of {n}, 95 % {interval(clopper_pearson(found, n))})"
