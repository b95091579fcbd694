"""Which engine searches, chosen by device; whichever it is, the answer is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forensic.gallery.similarity import CODED_FROM_ROWS, Engine
from forensic.values import Vectors

if TYPE_CHECKING:
    from forensic.gallery.codes import Codes


def create_engine(
    vectors: Vectors,
    tie_order: NDArray[np.int64],
    *,
    device: str = "cpu",
    codes: Codes | None = None,
    coded_from_rows: int = CODED_FROM_ROWS,
) -> Engine:
    """Return what searches float32 unit rows on a device.

    Args:
        vectors: (N, D) float32 unit rows; kept, not copied; may be memory-mapped.
        tie_order: (N,) place of each row among equals.
        device: `cpu`, `cuda` or `cuda:N`.
        codes: The rows as bytes, where they exist already; only the CPU uses them.
        coded_from_rows: How many rows a search on the CPU must have to use codes.

    Raises:
        DeviceError: A GPU was asked for that is not there, or the rows do not fit it.
    """
    if device != "cpu":  # FAISS loads only when a search needs it
        from forensic.gallery.flat import FlatSearch

        return FlatSearch(vectors, tie_order, device=device)
    from forensic.gallery.exact import ExactSearch

    return ExactSearch(vectors, tie_order, codes=codes, coded_from_rows=coded_from_rows)
