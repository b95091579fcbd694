"""From vectors to figures: ranks, scores with intervals, comparisons between methods."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from forensic.reports.record import ComparisonRecord, MethodRecord, PublishedRecord, RankOne
from forensic.stats.binomial import chance_rate, clopper_pearson, p_above, p_below
from forensic.stats.mcnemar import compare_paired
from forensic.stats.multiplicity import holm
from forensic.stats.ranks import (
    REPORTED_RANKS,
    cumulative_match_curve,
    cumulative_match_score,
    mate_ranks,
    similarity_blocks,
)
from forensic.values import Vectors
from pipelines.benchmark.embedding import Embedded

CURVE_LENGTH = 100


@dataclass(frozen=True)
class Gallery:
    """What is searched: enrolled photos only, mates first.

    Attributes:
        vectors: (E, D) unit rows.
        names: (E,) names of the photos.
        mates: (n,) row of each probe's mate, -1 where its photo was not enrolled.
        size: The gallery size to report, see `BenchmarkReport.gallery`.
    """

    vectors: Vectors
    names: tuple[str, ...]
    mates: NDArray[np.intp]
    size: int


@dataclass(frozen=True)
class Published:
    """A rank-1 rate that a paper prints.

    Attributes:
        source: The paper and where in it.
        cms1: The rate, 0 to 1.
        trials: Number of probes behind it, assumed where the paper does not say.
    """

    source: str
    cms1: float
    trials: int


@dataclass(frozen=True)
class Searches:
    """Outcome of all searches of one method.

    Attributes:
        ranks: (n,) rank of the mate, `inf` for a failure to enrol.
        best: (n,) gallery row of the first candidate, -1 for a failure.
        top: (n,) similarity of the first candidate, minus infinity for a failure.
        mate: (n,) similarity of the mate, minus infinity where it or the probe failed.
    """

    ranks: NDArray[np.float64]
    best: NDArray[np.intp]
    top: NDArray[np.float64]
    mate: NDArray[np.float64]


def build_gallery(photos: Embedded, distractors: Embedded, names: Sequence[str]) -> Gallery:
    """Join the mates' photos and the distractors, leaving out what was not enrolled.

    Args:
        photos: One row per probe.
        distractors: Any number of rows.
        names: Names of all of them, photos first.
    """
    enrolled = np.concatenate([photos.enrolled, distractors.enrolled])
    rows = np.cumsum(enrolled) - 1
    n_mates = len(photos.enrolled)
    return Gallery(
        vectors=np.concatenate([photos.vectors, distractors.vectors])[enrolled],
        names=tuple(name for name, is_in in zip(names, enrolled, strict=True) if is_in),
        mates=np.where(photos.enrolled, rows[:n_mates], -1).astype(np.intp),
        size=n_mates + int(distractors.enrolled.sum()),
    )


def search_all(
    probes: Embedded, gallery: Gallery, *, mates: NDArray[np.intp] | None = None
) -> Searches:
    """Rank the gallery for every probe, by blocks of similarity rows.

    Args:
        probes: What is searched for.
        gallery: What is searched.
        mates: (n,) row of each probe's mate instead of the gallery's own; -1 for none.
    """
    own = gallery.mates if mates is None else mates
    n = len(probes.enrolled)
    ranks, best = np.full(n, np.inf), np.full(n, -1, dtype=np.intp)
    top, mate = np.full(n, -np.inf), np.full(n, -np.inf)
    todo = np.flatnonzero(probes.enrolled)
    start = 0
    for block in similarity_blocks(probes.vectors[todo], gallery.vectors):
        rows = todo[start : start + len(block)]
        ranks[rows] = mate_ranks(block, own[rows])
        best[rows] = block.argmax(axis=1)
        top[rows] = block.max(axis=1)
        mated = own[rows] >= 0
        mate[rows[mated]] = block[mated, own[rows[mated]]]
        start += len(block)
    return Searches(ranks, best, top, mate)


def score_method(
    ranks: NDArray[np.float64],
    probe_ids: Sequence[str],
    *,
    gallery_size: int,
    weights_sha256: Mapping[str, str],
    published: Published | None = None,
) -> MethodRecord:
    """Return scores, intervals, tests against chance, the curve, and every probe's rank."""
    n = len(ranks)
    counts = {str(r): int((ranks <= r).sum()) for r in REPORTED_RANKS}
    tests = {
        str(r): p_above(counts[str(r)], n, chance_rate(r, gallery_size)) for r in REPORTED_RANKS
    }
    intervals = {r: clopper_pearson(count, n) for r, count in counts.items()}
    middle = float(np.median(ranks))
    return MethodRecord(
        cms={str(r): cumulative_match_score(ranks, r) for r in REPORTED_RANKS},
        cms_ci95=intervals,
        cms_p_vs_chance=tests,
        rank1=RankOne(successes=counts["1"], trials=n, ci95=intervals["1"], p_vs_chance=tests["1"]),
        failures_to_enrol=int(np.isinf(ranks).sum()),
        median_rank=middle if np.isfinite(middle) else None,
        cmc=cumulative_match_curve(ranks, min(CURVE_LENGTH, gallery_size)).tolist(),
        ranks={
            probe: int(rank) if np.isfinite(rank) else None
            for probe, rank in zip(probe_ids, ranks, strict=True)
        },
        weights_sha256=dict(weights_sha256),
        published=_beside(published, counts["1"], n) if published else None,
    )


def _beside(paper: Published, successes: int, trials: int) -> PublishedRecord:
    """Return a published rate with its interval, and the test of ours against it."""
    smaller = min(p_above(successes, trials, paper.cms1), p_below(successes, trials, paper.cms1))
    return PublishedRecord(
        source=paper.source,
        cms1=paper.cms1,
        trials=paper.trials,
        ci95=clopper_pearson(round(paper.cms1 * paper.trials), paper.trials),
        p_differs=min(1.0, 2 * smaller),
    )


def compare_methods(
    ranks: Mapping[str, NDArray[np.float64]], *, primary: Container[tuple[str, str]] = ()
) -> list[ComparisonRecord]:
    """Return McNemar's test at rank 1 for every pair of methods, Holm-corrected over all.

    Args:
        ranks: By method, of the same probes.
        primary: Pairs of methods, in the order of `ranks`, that the report is about.
    """
    pairs = list(combinations(ranks, 2))
    results = [compare_paired(ranks[a] <= 1, ranks[b] <= 1) for a, b in pairs]
    adjusted = holm([result.p_value for result in results])
    return [
        ComparisonRecord(
            a=a,
            b=b,
            mcnemar_p=result.p_value,
            holm_p=float(p),
            only_a=result.only_first,
            only_b=result.only_second,
            both=result.both,
            neither=result.neither,
            rate_difference=result.rate_difference,
            cohens_g=result.cohens_g,
            smallest_gap=result.smallest_gap,
            is_primary=(a, b) in primary,
        )
        for (a, b), result, p in zip(pairs, results, adjusted, strict=True)
    ]
