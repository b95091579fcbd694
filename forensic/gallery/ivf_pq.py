"""Approximate search by inverted lists and product quantization: opt-in, with measured recall.

Rows lie in lists around trained centroids, each row as a few bytes; a search looks into the
nearest lists only, and rescores what it finds there in full, so that the similarities are true and
only rows can be missing. How many are missing is measured when the index is built: with rows kept
out of the training as probes, each against the exact answer, itself left out of both.

Source:
    Jégou, Douze, Schmid, Product quantization for nearest neighbor search, PAMI 2011 (IVFADC);
    FAISS's IndexIVFPQ. Differs in the rescoring against the stored vectors.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from forensic.check import check_range
from forensic.errors import RangeError
from forensic.gallery.similarity import Engine, Rows, best_first, similarities
from forensic.values import Vectors

FILE = "ivf_pq.faiss"
LEAST_ROWS = 1000
"""Fewer cannot be trained on, and are searched exactly at once."""

RECALL_AT = 50
"""Length of the lists in which recall is measured."""

_HELD_OUT = 500
_TRAINING_ROWS_PER_LIST = 64
_CENTROIDS = 256  # of one byte
_SEED = 20111


@dataclass(frozen=True)
class IvfPq:
    """How an approximate index is built and searched; None lets the gallery's size decide.

    Attributes:
        n_lists: Number of inverted lists; by default about four times the root of the rows.
        code_bytes: Bytes of one row, a divisor of the dimension; by default an eighth of it.
        n_probe: Lists that a search looks into; by default a sixteenth of them.
        refine: Rows rescored in full for each row of the answer.
    """

    n_lists: int | None = None
    code_bytes: int | None = None
    n_probe: int | None = None
    refine: int = 8

    def resolve(self, n_rows: int, dimension: int) -> IvfPq:
        """Return the same with every number decided.

        Raises:
            RangeError: A number is out of range, or there are too few rows.
        """
        if n_rows < LEAST_ROWS:
            raise RangeError(
                f"An approximate index needs {LEAST_ROWS} photos or more, not {n_rows}; exact "
                "search is quicker there."
            )
        n_lists = self.n_lists or 2 ** round(np.log2(4 * np.sqrt(n_rows)))
        check_range(n_lists, 1, n_rows // 4, name="n_lists")
        code_bytes = self.code_bytes or max(1, dimension // 8)
        if dimension % code_bytes:
            raise RangeError(f"code_bytes is {code_bytes}, which does not divide {dimension}.")
        n_probe = self.n_probe or max(1, n_lists // 16)
        check_range(n_probe, 1, n_lists, name="n_probe")
        check_range(self.refine, 1, 1024, name="refine")
        return IvfPq(n_lists, code_bytes, n_probe, self.refine)


@dataclass(frozen=True)
class Recall:
    """How much of the exact answer an approximate one holds.

    Attributes:
        measured: Share of the rows of the exact lists that the approximate lists hold, [0, 1].
        at: Length of the lists.
        n_probes: How many held-out rows were searched with.
    """

    measured: float
    at: int
    n_probes: int


class ApproximateSearch:
    """Search in the nearest inverted lists, with true similarities.

    Args:
        vectors: (N, D) float32 unit rows; kept, not copied, for rescoring.
        tie_order: (N,) place of each row among equals.
        index: FAISS's index of the same rows.
        options: How it is searched, resolved.
    """

    def __init__(
        self, vectors: Vectors, tie_order: NDArray[np.int64], *, index: Any, options: IvfPq
    ) -> None:
        self._vectors, self._tie_order = vectors, tie_order
        self._index, self._options = index, options

    def search(
        self, queries: Vectors, k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[list[Rows], list[NDArray[np.float32]]]:
        """Return up to `k` rows for each query, best first, and their similarities.

        Args:
            queries: (Q, D) float32 unit rows.
            k: How many rows to return for each query; fewer where the lists hold fewer.
            allowed: (N,) mask of the rows that may be returned; None admits all.
        """
        parameters: Any = faiss.SearchParametersIVF()
        parameters.nprobe = self._options.n_probe
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector: Any = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            parameters.sel = selector
        width = min(k * self._options.refine, len(self._vectors))
        _, listed = self._index.search(np.ascontiguousarray(queries), width, params=parameters)
        rows, found = [], []
        for query, row in zip(queries, listed, strict=True):
            candidates = row[row >= 0]
            exact = similarities(query, self._vectors, candidates)
            best = best_first(candidates, exact, self._tie_order, k)
            rows.append(best[0])
            found.append(best[1])
        return rows, found


def build_ivf_pq(
    vectors: Vectors, tie_order: NDArray[np.int64], options: IvfPq, *, exact: Engine
) -> tuple[NDArray[np.uint8], IvfPq, Recall]:
    """Return an approximate index as bytes, how to search it, and its measured recall.

    Args:
        vectors: (N, D) float32 unit rows; may be memory-mapped.
        tie_order: (N,) place of each row among equals.
        options: What to build.
        exact: Exact search of the same rows, the reference.

    Raises:
        RangeError: A number is out of range, or there are too few rows.
    """
    chosen = options.resolve(*vectors.shape)
    n_held_out = min(_HELD_OUT, len(vectors) // 10)
    drawn = np.random.default_rng(_SEED).permutation(len(vectors))
    held_out, rest = np.sort(drawn[:n_held_out]), drawn[n_held_out:]
    n_training = _TRAINING_ROWS_PER_LIST * max(int(chosen.n_lists or 1), _CENTROIDS)
    index = _train(vectors[np.sort(rest[:n_training])], chosen)
    for start in range(0, len(vectors), 1 << 16):
        index.add(np.ascontiguousarray(vectors[start : start + (1 << 16)]))
    approximate = ApproximateSearch(vectors, tie_order, index=index, options=chosen)
    recall = measure_recall(approximate, exact, vectors, held_out)
    return faiss.serialize_index(index), chosen, recall


def measure_recall(
    approximate: ApproximateSearch, exact: Engine, vectors: Vectors, held_out: Rows
) -> Recall:
    """Return the recall of lists for held-out rows, each row itself left out of its lists.

    Args:
        approximate: What is measured.
        exact: The reference.
        vectors: (N, D) float32 unit rows.
        held_out: The rows to search with; not trained on.
    """
    at = min(RECALL_AT, len(vectors) - 1)
    wanted, _ = exact.search(vectors[held_out], at + 1)
    given, _ = approximate.search(vectors[held_out], at + 1)
    shares = [
        len(np.intersect1d(_without(w, row, at), _without(g, row, at))) / at
        for row, w, g in zip(held_out, wanted, given, strict=True)
    ]
    return Recall(float(np.mean(shares)), at, len(held_out))


def load_ivf_pq(
    path: Path, vectors: Vectors, tie_order: NDArray[np.int64], *, facts: dict[str, Any]
) -> ApproximateSearch:
    """Return a saved approximate index; it stays on disk, mapped into memory.

    Args:
        path: The file.
        vectors: (N, D) float32 unit rows.
        tie_order: (N,) place of each row among equals.
        facts: `asdict` of the resolved options.
    """
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    return ApproximateSearch(vectors, tie_order, index=index, options=IvfPq(**facts))


def facts_of(options: IvfPq, recall: Recall) -> dict[str, Any]:
    """Return what a manifest says of an approximate index."""
    return {"ivf_pq": asdict(options), "recall": asdict(recall)}


def _train(sample: Vectors, options: IvfPq) -> Any:
    dimension = sample.shape[1]
    quantizer = faiss.IndexFlatIP(dimension)
    create: Any = faiss.IndexIVFPQ
    index = create(
        quantizer, dimension, options.n_lists, options.code_bytes, 8, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.min_points_per_centroid = index.pq.cp.min_points_per_centroid = 1  # recall is measured
    index.cp.spherical = True
    index.train(np.ascontiguousarray(sample))
    return index


def _without(rows: Rows, row: int, at: int) -> Rows:
    listed: Rows = rows[rows != row][:at]
    return listed
