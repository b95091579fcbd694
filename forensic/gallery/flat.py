"""Exact search from lists that something else has cut in lower precision, wherever it computes.

A lister ranks rows by approximate similarities and breaks ties as it likes. Its list is a first
pass: it is cut longer than asked, rescored by `similarity.similarities`, and accepted only when
the lister's error bound proves that no row outside it can belong to the answer; otherwise it is
widened. So every lister, on every device, gives the same rows in the same order.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forensic.gallery.similarity import Engine, Rows, best_first, similarities
from forensic.values import Vectors

_SPARE_ROWS = 32


class Lister(Protocol):
    """What cuts lists of likely rows.

    Attributes:
        error: How far an approximate similarity may be from the true one.
        max_width: The longest list that it cuts; None for any.
    """

    error: float
    max_width: int | None

    def list_rows(
        self, queries: Vectors, width: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], list[Rows]]:
        """Return for each query the least similarity listed, (Q,), and the allowed rows listed.

        The list holds the `width` best rows, or all that are allowed: no other has a higher
        approximate similarity than the least one listed.
        """
        ...


class FlatSearch:
    """Exact search of float32 unit rows through a lister.

    Args:
        vectors: (N, D) float32 unit rows; kept, not copied, for rescoring.
        tie_order: (N,) place of each row among equals.
        lister: Makes the first pass over the same rows.
        otherwise: Answers what needs longer lists than the lister cuts.
    """

    def __init__(
        self,
        vectors: Vectors,
        tie_order: NDArray[np.int64],
        *,
        lister: Lister,
        otherwise: Engine,
    ) -> None:
        self._vectors, self._tie_order = vectors, tie_order
        self._lister, self._otherwise = lister, otherwise

    def search(
        self, queries: Vectors, k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return rows and similarities of the best min(k, allowed rows) of each query, (Q, k).

        Args:
            queries: (Q, D) float32 unit rows.
            k: How many rows to return for each query.
            allowed: (N,) mask of the rows that may be returned; None admits all.
        """
        total = len(self._vectors)
        n_allowed = total if allowed is None else int(allowed.sum())
        k = min(k, n_allowed)
        rows = np.empty((len(queries), k), dtype=np.int64)
        found = np.empty((len(queries), k), dtype=np.float32)
        pending = np.arange(len(queries)) if k else np.empty(0, dtype=np.int64)
        width = k + _SPARE_ROWS
        while pending.size:
            if self._lister.max_width is not None and min(width, total) > self._lister.max_width:
                rest = self._otherwise.search(queries[pending], k, allowed=allowed)
                rows[pending], found[pending] = rest
                break
            unproven = []
            listed = self._lister.list_rows(queries[pending], min(width, total), allowed)
            for q, floor, candidates in zip(pending, *listed, strict=True):
                exact = similarities(queries[q], self._vectors, candidates)
                best = best_first(candidates, exact, self._tie_order, k)
                is_whole = len(candidates) == n_allowed
                if is_whole or (len(best[0]) == k and best[1][-1] > floor + self._lister.error):
                    rows[q], found[q] = best
                else:
                    unproven.append(q)
            pending, width = np.array(unproven, dtype=np.int64), width * 4
        return rows, found
