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

    On GPUs that is FAISS where its build for GPUs is installed, and torch otherwise.

    Args:
        vectors: (N, D) float32 unit rows; kept, not copied; may be memory-mapped.
        tie_order: (N,) place of each row among equals.
        device: `cpu`, `cuda`, `cuda:N`, or `cuda:all` for every GPU, each with a share of rows.
        codes: The rows as bytes, where they exist already; only the CPU uses them.
        coded_from_rows: How many rows a search on the CPU must have to use codes.

    Raises:
        DeviceError: A GPU was asked for that is not there, or the rows do not fit it.
    """
    from forensic.gallery.exact import ExactSearch  # FAISS loads only when a search needs it

    if device == "cpu":
        return ExactSearch(vectors, tie_order, codes=codes, coded_from_rows=coded_from_rows)
    from forensic.gallery.flat import FlatSearch
    from forensic.gallery.gpus import check_fit, choose_gpus, free_memory
    from forensic.gallery.listers import FaissLister, TorchLister, faiss_has_gpus

    gpus = choose_gpus(device)
    check_fit(len(vectors), vectors.shape[1], free_memory(gpus))
    lister = FaissLister.on_gpus(vectors, gpus) if faiss_has_gpus() else TorchLister(vectors, gpus)
    if codes is None:
        coded_from_rows = len(vectors) + 1  # no codes are made for the few that the GPU leaves
    exact = ExactSearch(vectors, tie_order, codes=codes, coded_from_rows=coded_from_rows)
    return FlatSearch(vectors, tie_order, lister=lister, otherwise=exact)
