"""`forensic benchmark fusion`: how much each method should count, learnt on validation people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from forensic.errors import CalibrationError
from forensic.runtime import provenance
from forensic.stats.fusion import FusedScores, fit_fusion
from forensic.weights.fusions import Fusion, rank_parts
from forensic.weights.store import choose_weights_folder
from pipelines.benchmark.cache import Cache, default_cache_folder
from pipelines.benchmark.enrolment import Enrolled, embed_all, locate_all
from pipelines.benchmark.folders import PairsData, read_data
from pipelines.benchmark.system import System, create_system

FALSELY_KEPT = 0.05
"""Share of fits in which any part without effect may be kept."""


@dataclass(frozen=True)
class FusionOptions:
    """What the user asks for; see `forensic benchmark fusion --help`."""

    sets: tuple[Path, ...]
    distractors: tuple[Path, ...]
    methods: tuple[str, ...]
    embedder: str
    device: str
    sketch_kind: str

    def command(self) -> list[str]:
        """Return the command that gives this fusion."""
        words = ["forensic", "benchmark", "fusion"]
        for option, folders in (("--pairs", self.sets), ("--distractors", self.distractors)):
            for folder in folders:
                words += [option, folder.name]
        words += ["--methods", ",".join(self.methods), "--embedder", Path(self.embedder).name]
        return [*words, "--kind", self.sketch_kind]


def benchmark_fusion(
    options: FusionOptions, *, out: Path, cache: Path | None, environment: Mapping[str, str]
) -> str:
    """Learn the weights, write them, and return what to tell the user.

    Raises:
        ForensicError: Anything that the user can mend; nothing is written then.
    """
    system = create_system(
        embedder=options.embedder,
        methods=options.methods,
        device=options.device,
        weights=choose_weights_folder(environment),
        allow_many=True,
    )
    sets = [
        read_data(folder / "photos", folder / "sketches", distractors=options.distractors)
        for folder in options.sets
    ]
    with Cache(cache or default_cache_folder(environment)) as store:
        enrolled = [embed_all(locate_all(data, system, store), system, store) for data in sets]
    fusion = fit(system, enrolled, options, sets)
    fusion.write(out)
    parts = ", ".join(f"{part.method} {part.weight:.2f}" for part in fusion.parts)
    return (
        f"Weights in log10 odds per unit of cosine: {parts}; intercept {fusion.intercept:.2f}; "
        f"learnt on {fusion.fitted_on['probes']} sketches.\n{out}"
    )


def fit(
    system: System, enrolled: Sequence[Enrolled], options: FusionOptions, sets: Sequence[PairsData]
) -> Fusion:
    """Return the fusion of a system's methods, learnt on one or several sets.

    Args:
        system: Its methods are the parts.
        enrolled: Vectors of every set, each with a gallery of its own.
        options: What to record beside the weights.
        sets: The images, for their number.

    Parts that help less than `least_gain` are left out, one after the other: each costs time in
    every search.

    Raises:
        CalibrationError: Too few searches, or no method tells right from wrong.
    """
    names = list(options.methods)
    blocks = [score_blocks(one, names) for one in enrolled]
    n_photos = min(block.shape[2] for block in blocks)
    # Every set has its own gallery: the mate stands first, and all galleries are cut to one size.
    scores = np.concatenate([block[:, :, :n_photos] for block in blocks], axis=1)
    mates = np.zeros(scores.shape[1], dtype=np.intp)
    kept, learnt = _fit_parts(scores, mates, options.sketch_kind)
    weights = {names[k]: float(weight) for k, weight in zip(kept, learnt.weights, strict=True)}
    facts: dict[str, Any] = {
        "probes": int(scores.shape[1]),
        "probes_by_set": {
            folder.name: int(block.shape[1])
            for folder, block in zip(options.sets, blocks, strict=True)
        },
        "pairs_given": sum(len(data.pairs) for data in sets),
        "photos_compared": int(n_photos),
        "sketch_kind": options.sketch_kind,
        "intercept_at": "even odds of a pair that was not searched for",
        "tried": names,
        "provenance": provenance(options.command()),
    }
    shas = {method.name: dict(method.weights_sha256) for method in system.methods}
    return Fusion(
        embedder=system.embedder.name,
        embedder_weights_sha256=system.embedder.weights_sha256,
        parts=rank_parts(weights, shas),
        intercept=learnt.intercept,
        fitted_on=facts,
    )


def least_gain(n_parts: int) -> float:
    """Return by how many nats a part must raise the likelihood of the right photos to be kept.

    Twice the gain of a part without effect is 0 in half of all fits, since a weight cannot be
    negative, and chi-squared with one degree of freedom in the other half; all parts but one may
    be without effect (Bonferroni).

    Args:
        n_parts: How many are tried.

    Source:
        Self, Liang: Journal of the American Statistical Association 82, 1987, case 5.
    """
    return float(chi2.isf(2 * FALSELY_KEPT / max(n_parts - 1, 1), df=1) / 2)


def score_blocks(enrolled: Enrolled, names: Sequence[str]) -> NDArray[np.float64]:
    """Return (P, n, N) cosines of every usable probe, its mate's photo first, then all others.

    Raises:
        CalibrationError: No probe has both a sketch and a photo in which a face was found.
    """
    photos, others = enrolled.photos["photo"], enrolled.photos["distractor"]
    sketches = [enrolled.sketches["sketch"][name] for name in names]
    usable = np.flatnonzero(photos.enrolled & sketches[0].enrolled)
    if len(usable) < 2:
        raise CalibrationError("Too few sketches and photos show a face that was found.")
    strangers = others.vectors[others.enrolled].astype(np.float64)
    mates = photos.vectors[usable].astype(np.float64)
    rows = []
    for part in sketches:
        drawn = part.vectors[usable].astype(np.float64)
        cosines = drawn @ mates.T
        own = np.diag(cosines)[:, None]
        apart = cosines[~np.eye(len(usable), dtype=bool)].reshape(len(usable), -1)
        rows.append(np.concatenate([own, drawn @ strangers.T, apart], axis=1))
    return np.stack(rows)


def _fit_parts(
    scores: NDArray[np.float64], mates: NDArray[np.intp], sketch_kind: str
) -> tuple[list[int], FusedScores]:
    """Return which parts are kept and how much they count, dropping what helps least, in turn."""
    kept, enough = list(range(len(scores))), least_gain(len(scores))
    learnt = fit_fusion(scores, mates, sketch_kind=sketch_kind)
    while len(kept) > 1:
        fewer: dict[int, FusedScores] = {}
        for part in kept:
            with suppress(CalibrationError):  # the others tell nothing: this part must stay
                others = scores[[k for k in kept if k != part]]
                fewer[part] = fit_fusion(others, mates, sketch_kind=sketch_kind)
        least = min(fewer, key=lambda part: fewer[part].surprise, default=None)
        if least is None or fewer[least].surprise - learnt.surprise >= enough:
            break
        kept.remove(least)
        learnt = fewer[least]
    return kept, learnt
