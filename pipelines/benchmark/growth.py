"""Match score against gallery size, by random galleries inside the one that was searched."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forensic.reports.sections import GrowthPoint, GrowthRecord
from forensic.stats.binomial import clopper_pearson
from forensic.stats.ranks import REPORTED_RANKS, mate_ranks, similarity_blocks
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.scoring import Gallery

SEED = 0
POINTS = 9


def growth_record(probes: Mapping[str, Embedded], gallery: Gallery) -> GrowthRecord | None:
    """Return the match score of every method for galleries of several sizes.

    Each holds all mates, and the first so many of the other photos in a seeded random order, so
    that a larger gallery contains the smaller ones. The largest is the whole gallery.

    Args:
        probes: Sketches by method, one per mate.
        gallery: What was searched, mates first.

    Returns:
        None where the gallery holds nobody but the mates.
    """
    n_mates = int((gallery.mates >= 0).sum())
    others = len(gallery.vectors) - n_mates
    if not others:
        return None
    order = n_mates + np.random.default_rng(SEED).permutation(others)
    sizes = sub_gallery_sizes(others)
    lost = gallery.size - len(gallery.vectors)  # mates who count but could not be enrolled
    return GrowthRecord(
        seed=SEED,
        trials=len(gallery.mates),
        methods={
            name: [
                _point(ranks, n_mates + lost + size)
                for size, ranks in zip(
                    sizes, _ranks_by_size(sketches, gallery, order, sizes), strict=True
                )
            ]
            for name, sketches in probes.items()
        },
    )


def sub_gallery_sizes(others: int) -> list[int]:
    """Return how many of the others each gallery holds: none, then evenly on a log scale.

    Example:
        >>> sub_gallery_sizes(1000)
        [0, 10, 19, 37, 72, 139, 268, 518, 1000]
    """
    steps = np.geomspace(min(10, others), others, POINTS - 1).round().astype(int)
    return [0, *np.unique(steps).tolist()]


def _ranks_by_size(
    probes: Embedded, gallery: Gallery, order: NDArray[np.intp], sizes: list[int]
) -> list[NDArray[np.float64]]:
    n_mates = len(gallery.vectors) - len(order)
    columns = [np.concatenate([np.arange(n_mates), order[:size]]) for size in sizes]
    ranks = [np.full(len(gallery.mates), np.inf) for _ in sizes]
    todo = np.flatnonzero(probes.enrolled)
    start = 0
    for block in similarity_blocks(probes.vectors[todo], gallery.vectors):
        rows = todo[start : start + len(block)]
        for own, chosen in zip(ranks, columns, strict=True):
            own[rows] = mate_ranks(block[:, chosen], gallery.mates[rows])
        start += len(block)
    return ranks


def _point(ranks: NDArray[np.float64], gallery: int) -> GrowthPoint:
    found = {str(rank): int((ranks <= rank).sum()) for rank in REPORTED_RANKS}
    return GrowthPoint(
        gallery=gallery,
        found=found,
        rank1=found["1"] / len(ranks),
        rank1_ci95=clopper_pearson(found["1"], len(ranks)),
    )
