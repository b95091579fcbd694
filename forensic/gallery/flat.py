"""Search with FAISS's flat inner-product index, on the CPU or a GPU, made exact by rescoring.

FAISS ranks in float32 (on a GPU: from float16 vectors), and breaks ties as it likes. Here its
list is a first pass: it is cut longer than asked, rescored by `similarity.similarities`, and
accepted only when the error bound proves that no row outside it can belong to the answer;
otherwise it is widened. So every device gives the same rows in the same order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
from numpy.typing import NDArray

from forensic.errors import DeviceError
from forensic.gallery.similarity import (
    NORM_TOLERANCE,
    best_first,
    exhaustive,
    rounding_error,
    similarities,
)
from forensic.runtime import choose_device
from forensic.values import Vectors

if TYPE_CHECKING:
    import torch

MAX_GPU_WIDTH = 2048
"""The longest list that FAISS cuts on a GPU."""

_SPARE_ROWS = 32


class FlatSearch:
    """Exact search of float32 unit rows through FAISS.

    Args:
        vectors: (N, D) float32 unit rows; kept, not copied, for rescoring.
        tie_order: (N,) place of each row among equals.
        device: `cpu`, `cuda` or `cuda:N`.

    Raises:
        DeviceError: A GPU was asked for, but it or a FAISS that uses it is not there, or the
            rows do not fit it.
    """

    def __init__(
        self, vectors: Vectors, tie_order: NDArray[np.int64], *, device: str = "cpu"
    ) -> None:
        self._vectors, self._tie_order = vectors, tie_order
        self._on_gpu = device != "cpu"
        dimension = vectors.shape[1]
        self._index: Any = (
            _gpu_index(vectors.shape, device) if self._on_gpu else faiss.IndexFlatIP(dimension)
        )
        self._index.add(np.ascontiguousarray(vectors))
        self._error = rounding_error(dimension)
        if self._on_gpu:
            self._error += _half_error(dimension)

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
            if self._on_gpu and min(width, total) > MAX_GPU_WIDTH:
                admitted = np.arange(total) if allowed is None else np.flatnonzero(allowed)
                for q in pending:
                    rows[q], found[q] = exhaustive(
                        queries[q], self._vectors, self._tie_order, admitted, k
                    )
                break
            last, listed = self._first_pass(queries[pending], min(width, total), allowed)
            unproven = []
            for q, floor, candidates in zip(pending, last, listed, strict=True):
                exact = similarities(queries[q], self._vectors, candidates)
                best = best_first(candidates, exact, self._tie_order, k)
                if len(candidates) < n_allowed and (
                    len(best[0]) < k or best[1][-1] <= floor + self._error
                ):
                    unproven.append(q)
                else:
                    rows[q], found[q] = best
            pending, width = np.array(unproven, dtype=np.int64), width * 4
        return rows, found

    def _first_pass(
        self, queries: Vectors, width: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.int64]]]:
        """Return the least similarity that FAISS listed for each query, and the allowed rows."""
        if allowed is None or self._on_gpu:  # the GPU index takes no selector
            approximate, rows = self._index.search(np.ascontiguousarray(queries), width)
        else:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            chosen = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
            approximate, rows = self._index.search(
                np.ascontiguousarray(queries), width, params=chosen
            )
        listed = [row[row >= 0] for row in rows]
        last = np.array([a[r >= 0].min() for a, r in zip(approximate, rows, strict=True)])
        if allowed is not None:
            listed = [row[allowed[row]] for row in listed]
        return last, listed


def _half_error(dimension: int) -> float:
    """Return what float16 storage of two unit rows adds: 2^-11 of each length, and subnormals."""
    return 2.02 * (2.0**-11 + math.sqrt(dimension) * 2.0**-25) * (1 + NORM_TOLERANCE) ** 2


def _gpu_index(shape: tuple[int, ...], device: str) -> Any:
    """Return an empty float16 index on the GPU, after checking that the rows will fit."""
    chosen = choose_device(device)
    if not hasattr(faiss, "StandardGpuResources"):
        raise DeviceError(
            f"Device {device!r} was asked for, but this FAISS ({faiss.__version__}) is the build "
            'for CPUs; install "forensic-sketch[gpu]", or pass --device cpu.'
        )
    rows, dimension = shape
    needed, free = rows * dimension * 2, _free_bytes(chosen)
    if needed > free:
        raise DeviceError(
            f"The index needs {needed / 2**30:.1f} GiB on {device} ({rows} rows of {dimension} "
            f"in float16), but {free / 2**30:.1f} GiB are free there; pass --device cpu."
        )
    config = faiss.GpuIndexFlatConfig()
    config.useFloat16, config.device = True, chosen.index or 0
    return faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), dimension, config)


def _free_bytes(device: torch.device) -> int:
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return int(free)
