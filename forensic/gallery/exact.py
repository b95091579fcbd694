"""Exact search on a CPU at the speed of its memory: a proven first pass over bytes.

The first pass compares rounded rows (`codes`), and keeps every row whose similarity could,
within the error bound, reach the k-th best known so far. What is kept is compared in float32,
and what could still belong to the answer by `similarity.similarities`. Nothing is dropped that
could be missed, so the answer is that of looking at every row in full.

Few probes are scanned by FAISS, which is as fast as the bytes can be read; many by a matrix
product over blocks, of which only the rows above the threshold are touched again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensic.gallery.codes import Codes
from forensic.gallery.scan import FirstPass
from forensic.gallery.similarity import (
    CODED_FROM_ROWS,
    Rows,
    best_first,
    rounding_error,
    similarities,
)
from forensic.values import Vectors

_FEW_PROBES = 3
_FEW_CANDIDATES = 256
_BATCH = 128
_SEED_ROWS = 4096


class ExactSearch:
    """Exact search of float32 unit rows on the CPU.

    Args:
        vectors: (N, D) float32 unit rows; kept, not copied; may be memory-mapped.
        tie_order: (N,) place of each row among equals.
        codes: Their codes where saved ones exist; otherwise made when there are many rows.
        coded_from_rows: How many allowed rows a search must have to use the codes.
    """

    def __init__(
        self,
        vectors: Vectors,
        tie_order: NDArray[np.int64],
        *,
        codes: Codes | None = None,
        coded_from_rows: int = CODED_FROM_ROWS,
    ) -> None:
        self._vectors, self._tie_order = vectors, tie_order
        self._coded_from = coded_from_rows
        if codes is None and len(vectors) >= coded_from_rows:
            codes = Codes.encode(vectors)
        self.codes = codes
        self._irregular_rows = codes.irregular if codes else np.empty(0, dtype=np.int64)
        self._irregular = vectors[self._irregular_rows]
        self._rounding = rounding_error(vectors.shape[1])

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
        admitted = None if allowed is None or allowed.all() else np.flatnonzero(allowed)
        n_admitted = total if admitted is None else len(admitted)
        k = min(k, n_admitted)
        rows = np.empty((len(queries), k), dtype=np.int64)
        found = np.empty((len(queries), k), dtype=np.float32)
        for start in range(0, len(queries) if k else 0, _BATCH):
            batch = slice(start, start + _BATCH)
            lists = self._shortlists(queries[batch], k, admitted)
            for q, candidates in enumerate(lists, start=start):
                exact = similarities(queries[q], self._vectors, candidates)
                rows[q], found[q] = best_first(candidates, exact, self._tie_order, k)
        return rows, found

    def _shortlists(self, queries: Vectors, k: int, admitted: Rows | None) -> list[Rows]:
        """Return for each query rows among which its `k` best certainly are."""
        n_admitted = len(self._vectors) if admitted is None else len(admitted)
        if self.codes is None or n_admitted < max(self._coded_from, 4 * k):
            return self._compare_all(queries, k, admitted)
        allowed = None
        if admitted is not None:
            allowed = np.zeros(len(self._vectors), dtype=bool)
            allowed[admitted] = True

        def floor(q: int, rows: Rows) -> float:
            return _kth(_products(self._vectors[rows], queries[q]), k) - self._rounding

        probes = self.codes.round_probes(queries)
        first_pass = FirstPass(self.codes, probes, k, floor, allowed)
        if len(queries) <= _FEW_PROBES and k <= _FEW_CANDIDATES:
            floors, lists = first_pass.scan_each()
        else:
            floors, lists = first_pass.scan_together(self._first_floors(queries, k, admitted))
        return self._compare(queries, k, floors, lists, allowed)

    def _compare_all(self, queries: Vectors, k: int, admitted: Rows | None) -> list[Rows]:
        chosen = self._vectors if admitted is None else self._vectors[admitted]
        lists = []
        for near in queries @ chosen.T:
            rows = np.flatnonzero(near >= _kth(near, k) - 2 * self._rounding)
            lists.append(rows if admitted is None else admitted[rows])
        return lists

    def _first_floors(self, queries: Vectors, k: int, admitted: Rows | None) -> list[float]:
        """Return floors known from some rows, spread evenly: a sorted gallery has no odd start."""
        total = len(self._vectors) if admitted is None else len(admitted)
        sample = np.linspace(0, total - 1, max(_SEED_ROWS, 4 * k)).astype(np.int64)
        sample = np.unique(sample) if admitted is None else admitted[np.unique(sample)]
        return [_kth(near, k) - self._rounding for near in queries @ self._vectors[sample].T]

    def _compare(
        self,
        queries: Vectors,
        k: int,
        floors: list[float],
        lists: list[Rows],
        allowed: NDArray[np.bool_] | None,
    ) -> list[Rows]:
        """Cut the lists of the first pass, and the irregular rows, down by float32 products."""
        irregular = self._irregular_rows
        shortlists = []
        for q, query in enumerate(queries):
            near = _products(self._irregular, query)
            extra = irregular[near >= floors[q] - self._rounding]
            rows = np.union1d(lists[q], extra if allowed is None else extra[allowed[extra]])
            full = _products(self._vectors[rows], query)
            shortlists.append(rows[full >= _kth(full, k) - 2 * self._rounding])
        return shortlists


def _products(vectors: Vectors, query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 inner products; for so few rows, waking BLAS's threads costs more."""
    products: NDArray[np.float32] = np.einsum("nd,d->n", vectors, query)
    return products


def _kth(values: NDArray[np.float32], k: int) -> float:
    """Return the k-th largest value."""
    return float(np.partition(values, -k)[-k])
