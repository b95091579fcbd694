"""What cuts lists of likely rows for `FlatSearch`: FAISS's flat indexes, and torch.

Rows may be spread over several devices; each is given a run of rows of its own. A GPU keeps them
in float16, which doubles what fits; the error bound covers it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
from numpy.typing import NDArray

from forensic.gallery.similarity import NORM_TOLERANCE, Rows, rounding_error
from forensic.values import Vectors

if TYPE_CHECKING:
    import torch

MAX_FAISS_GPU_WIDTH = 2048
"""The longest list that FAISS cuts on a GPU."""

_FAISS_SCRATCH_BYTES = 256 << 20
_BLOCK_ROWS = 1 << 16
_BATCH = 128


class FaissLister:
    """FAISS's flat inner-product indexes, as one.

    Args:
        vectors: (N, D) float32 unit rows.
        indexes: Empty FAISS indexes, each of which takes a run of the rows.
        error: Bound on the error of their similarities.
        max_width: The longest list that they cut; None for any.
        takes_masks: Whether they can leave rows out; otherwise the lists hold them, unlisted.
    """

    def __init__(
        self,
        vectors: Vectors,
        indexes: Sequence[Any],
        *,
        error: float,
        max_width: int | None = None,
        takes_masks: bool = True,
    ) -> None:
        self.error, self.max_width = error, max_width
        self._takes_masks = takes_masks and len(indexes) == 1  # selectors count from each shard
        for index, (start, stop) in zip(indexes, runs(len(vectors), len(indexes)), strict=True):
            index.add(np.ascontiguousarray(vectors[start:stop]))
        self._parts = list(indexes)  # FAISS does not keep them alive
        self._index = self._parts[0]
        self._lock = threading.Lock()
        if len(indexes) > 1:
            create_shards: Any = faiss.IndexShards
            self._index = create_shards(vectors.shape[1], True, True)  # threads, ids in a row
            for index in self._parts:
                self._index.add_shard(index)

    @classmethod
    def on_cpu(cls, vectors: Vectors) -> FaissLister:
        """Return a lister on the CPU, in float32."""
        dimension = vectors.shape[1]
        return cls(vectors, [faiss.IndexFlatIP(dimension)], error=rounding_error(dimension))

    @classmethod
    def on_gpus(cls, vectors: Vectors, gpus: Sequence[torch.device]) -> FaissLister:
        """Return a lister on GPUs, in float16."""
        dimension = vectors.shape[1]
        indexes, resources = [], []
        for gpu in gpus:
            config = faiss.GpuIndexFlatConfig()
            config.useFloat16, config.device = True, gpu.index or 0
            resource = faiss.StandardGpuResources()
            resource.setTempMemory(_FAISS_SCRATCH_BYTES)
            resources.append(resource)
            indexes.append(faiss.GpuIndexFlatIP(resource, dimension, config))
        lister = cls(
            vectors,
            indexes,
            error=rounding_error(dimension) + half_error(dimension),
            max_width=MAX_FAISS_GPU_WIDTH,
            takes_masks=False,
        )
        lister._parts += resources
        return lister

    def list_rows(
        self, queries: Vectors, width: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], list[Rows]]:
        """Return for each query the least similarity listed, (Q,), and the allowed rows listed."""
        chosen: dict[str, Any] = {}
        if allowed is not None and self._takes_masks:
            bits = np.packbits(allowed, bitorder="little")
            selector: Any = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            chosen["params"] = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        with self._lock:  # one GPU index serves one search at a time
            near, rows = self._index.search(np.ascontiguousarray(queries), width, **chosen)
        return _listed(near, rows, allowed)


class TorchLister:
    """Blocks of float16 rows on torch devices, multiplied in float32.

    Args:
        vectors: (N, D) float32 unit rows.
        devices: Where to keep them, a run of rows each.
    """

    max_width: int | None = None

    def __init__(self, vectors: Vectors, devices: Sequence[torch.device]) -> None:
        import torch

        dimension = vectors.shape[1]
        self.error = rounding_error(dimension) + half_error(dimension)
        self._parts: list[tuple[int, torch.Tensor]] = []
        for device, (start, stop) in zip(devices, runs(len(vectors), len(devices)), strict=True):
            part = torch.empty((stop - start, dimension), dtype=torch.float16, device=device)
            for row in range(start, stop, _BLOCK_ROWS):
                block = np.array(vectors[row : min(row + _BLOCK_ROWS, stop)])
                part[row - start : row - start + len(block)] = torch.from_numpy(block)
            self._parts.append((start, part))
        self._lock = threading.Lock()

    def list_rows(
        self, queries: Vectors, width: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], list[Rows]]:
        """Return for each query the least similarity listed, (Q,), and the allowed rows listed."""
        lists: list[Rows] = []
        floors = np.empty(len(queries), dtype=np.float32)
        for start in range(0, len(queries), _BATCH):
            batch = queries[start : start + _BATCH]
            with self._lock:
                parts = [self._best(part, batch, width, allowed) for part in self._parts]
            near = np.concatenate([part[0] for part in parts], axis=1)
            rows = np.concatenate([part[1] for part in parts], axis=1)
            if near.shape[1] > width:
                best = np.argpartition(-near, width - 1, axis=1)[:, :width]
                near = np.take_along_axis(near, best, axis=1)
                rows = np.take_along_axis(rows, best, axis=1)
            rows[np.isneginf(near)] = -1
            floors[start : start + len(batch)], some = _listed(near, rows, allowed)
            lists += some
        return floors, lists

    def _best(
        self,
        part: tuple[int, torch.Tensor],
        queries: Vectors,
        width: int,
        allowed: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.float32], Rows]:
        """Return similarities and rows of the best of one device, each (Q, up to `width`)."""
        import torch

        first, stored = part
        probes = torch.from_numpy(np.ascontiguousarray(queries)).to(stored.device)
        near = torch.empty((len(queries), 0), device=stored.device)
        rows = torch.empty((len(queries), 0), dtype=torch.int64, device=stored.device)
        for start in range(0, len(stored), _BLOCK_ROWS):
            block = stored[start : start + _BLOCK_ROWS]
            products = probes @ block.float().T
            if allowed is not None:
                mask = torch.from_numpy(allowed[first + start : first + start + len(block)])
                products.masked_fill_(~mask.to(stored.device), -math.inf)
            best = products.topk(min(width, len(block)), dim=1)
            near = torch.cat([near, best.values], dim=1)
            rows = torch.cat([rows, best.indices + (first + start)], dim=1)
            kept = near.topk(min(width, near.shape[1]), dim=1)
            near, rows = kept.values, rows.gather(1, kept.indices)
        return near.cpu().numpy(), rows.cpu().numpy()


def faiss_has_gpus() -> bool:
    """Tell whether the FAISS that is installed is a build for GPUs."""
    return hasattr(faiss, "StandardGpuResources")


def runs(n_rows: int, n_parts: int) -> list[tuple[int, int]]:
    """Return where the rows of each part begin and end, as evenly as can be.

    Example:
        >>> runs(5, 2)
        [(0, 2), (2, 5)]
    """
    ends = [n_rows * part // n_parts for part in range(n_parts + 1)]
    return list(pairwise(ends))


def half_error(dimension: int) -> float:
    """Return what float16 storage of two unit rows adds: 2^-11 of each length, and subnormals."""
    return 2.02 * (2.0**-11 + math.sqrt(dimension) * 2.0**-25) * (1 + NORM_TOLERANCE) ** 2


def _listed(
    near: NDArray[np.float32], rows: Rows, allowed: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], list[Rows]]:
    listed = [row[row >= 0] for row in rows]
    floors = [n[r >= 0].min(initial=np.inf) for n, r in zip(near, rows, strict=True)]
    if allowed is not None:
        listed = [row[allowed[row]] for row in listed]
    return np.array(floors, dtype=np.float32), listed
