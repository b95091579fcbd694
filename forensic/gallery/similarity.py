"""The one definition of similarity, and of the order of two rows, that every engine obeys.

The similarity of two float32 vectors is their inner product summed in float64 and rounded once
to float32. Products of two float32 numbers are exact in float64, and the sum over a row always
runs in the same order, so a pair has one similarity, whatever the engine, the device, the batch
or the place of the row. Rows are ranked by similarity, and equal ones by photo identifier.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import DtypeError, RangeError, ShapeError
from forensic.values import Vectors

Rows = NDArray[np.int64]
"""Row numbers of a gallery, from 0."""

NORM_TOLERANCE = 1e-3
"""How far the length of a row may be from 1; float16 and bfloat16 embedders stay within it."""

CODED_FROM_ROWS = 16384
"""From how many rows on a first pass over codes pays; fewer are compared in full at once."""

_CHUNK_ELEMENTS = 1 << 18


class Engine(Protocol):
    """What ranks rows: `FlatSearch` and `ExactSearch` give the same answer to the last place."""

    def search(
        self, queries: Vectors, k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return rows and similarities of the best min(k, allowed rows) of each query, (Q, k)."""
        ...


def check_vectors(vectors: NDArray[np.float32], *, dimension: int | None = None) -> None:
    """Refuse anything but (N, D) float32 rows of unit length.

    Raises:
        ShapeError: Not two axes, no column, or D is not `dimension`.
        DtypeError: Not float32.
        RangeError: A row holds NaN or infinity, or its length is not 1 within `NORM_TOLERANCE`.
    """
    check_shape(vectors, (None, dimension), name="vectors")
    if vectors.shape[1] == 0:
        raise ShapeError(
            "vectors have no columns; an embedding has at least one number.",
            actual_shape=tuple(vectors.shape),
            expected_shape="(any, 1 or more)",
        )
    if vectors.dtype != np.float32:
        raise DtypeError(f"vectors have dtype {vectors.dtype}, expected float32.")
    wrong = np.flatnonzero(~are_unit_length(vectors))
    if wrong.size:
        length = np.linalg.norm(vectors[wrong[0]])
        raise RangeError(
            f"{wrong.size} of {len(vectors)} vectors are not of unit length, the first is row "
            f"{wrong[0]} with length {length:.6g}; divide each row by its length."
        )


def are_unit_length(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell of each row of (N, D) float32 whether it is finite and of unit length, (N,)."""
    with np.errstate(over="ignore", invalid="ignore"):  # damaged rows may hold anything
        lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    close: NDArray[np.bool_] = np.abs(lengths - 1) <= NORM_TOLERANCE
    return close


def similarities(query: NDArray[np.float32], vectors: Vectors, rows: Rows) -> NDArray[np.float32]:
    """Return the similarity of one query (D,) to each of the named rows, (len(rows),) float32."""
    wide = query.astype(np.float64)
    found = np.empty(len(rows), dtype=np.float32)
    step = max(1, _CHUNK_ELEMENTS // len(query))
    for start in range(0, len(rows), step):
        products = vectors[rows[start : start + step]] * wide
        found[start : start + step] = products.sum(axis=1)
    return found


def rounding_error(dimension: int) -> float:
    """Return a bound on the error of a float32 inner product of two unit rows.

    Any order of summation stays within gamma_D = D u / (1 - D u), u = 2^-24, times the lengths;
    a few u more cover the rounding of the exact similarity itself, and of thresholds.

    Source:
        Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002, eq. 3.5.
    """
    unit = 2.0**-24
    gamma = dimension * unit / (1 - dimension * unit)
    return (gamma + 4 * unit) * (1 + NORM_TOLERANCE) ** 2


def best_first(
    rows: Rows, similarity: NDArray[np.float32], tie_order: NDArray[np.int64], k: int
) -> tuple[Rows, NDArray[np.float32]]:
    """Return the `k` best of the rows, most similar first, equal ones by `tie_order[row]`."""
    order = np.lexsort((tie_order[rows], -similarity))[:k]
    return rows[order], similarity[order]


def exhaustive(
    query: NDArray[np.float32], vectors: Vectors, tie_order: NDArray[np.int64], rows: Rows, k: int
) -> tuple[Rows, NDArray[np.float32]]:
    """Return the `k` best of the named rows by looking at each: slow, and right by definition."""
    return best_first(rows, similarities(query, vectors, rows), tie_order, k)
