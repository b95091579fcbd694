"""Ranking persons by their best photo, with any engine that ranks photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from forensic.gallery.similarity import Rows
from forensic.values import Vectors

RankPhotos = Callable[[Vectors, int], tuple[Iterable[Rows], Iterable[NDArray[np.float32]]]]
"""(Q, D) probes and k to the k best rows of each probe and their similarities, best first."""


def search_subjects(
    rank: RankPhotos, subjects: NDArray[np.int64], queries: Vectors, k: int
) -> list[tuple[Rows, NDArray[np.float32]]]:
    """Return for each query the best row of each of the `k` best persons, best first.

    Takes ever longer lists of photos until each holds `k` persons, or all of them.

    Args:
        rank: Ranks the rows.
        subjects: (N,) number of each row's person.
        queries: (Q, D) float32 unit rows.
        k: How many persons to return for each query.
    """
    nothing = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    lists = [nothing] * len(queries)
    pending, width = np.arange(len(queries)), 2 * k
    while pending.size:
        rows, similarities = rank(queries[pending], width)
        short = []
        for q, row, similarity in zip(pending, rows, similarities, strict=True):
            _, first = np.unique(subjects[row], return_index=True)
            first = np.sort(first)[:k]
            if len(first) < k and len(row) == width:
                short.append(q)
            else:
                lists[q] = (row[first], similarity[first])
        pending, width = np.array(short, dtype=np.int64), width * 4
    return lists
