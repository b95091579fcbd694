"""The first pass of exact search: which rows could belong to the answer, judged by their codes.

Each function returns, for one batch of probes, a floor for each probe, which its k-th best
similarity certainly reaches, and all regular rows whose similarity could reach that floor.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import faiss
import numpy as np
from numpy.typing import NDArray

from forensic.gallery.codes import Codes, Probes
from forensic.gallery.similarity import Rows

if TYPE_CHECKING:
    import torch

    from forensic.gallery.products import Product

Floor = Callable[[int, Rows], float]
"""A probe's number and k or more rows to a bound that its k-th best similarity reaches."""

_BLOCK_ROWS = 8192
_GROUP_ROWS = 16
_ROUND_GROWTH = 8
_SPARE_ROWS = 32


@dataclass(frozen=True)
class FirstPass:
    """What a first pass needs to know.

    Attributes:
        codes: The rounded rows.
        probes: The rounded probes.
        k: How many best rows are wanted, not more than there are allowed rows.
        floor: See `Floor`.
        allowed: (N,) mask of the rows that may be returned, or None.
    """

    codes: Codes
    probes: Probes
    k: int
    floor: Floor
    allowed: NDArray[np.bool_] | None

    def scan_each(self) -> tuple[list[float], list[Rows]]:
        """Scan every shard for one probe after the other, with FAISS: at the speed of memory."""
        workers = faiss.omp_get_max_threads()
        # FAISS would start threads of its own for a single probe, and wait for them
        with ThreadPoolExecutor(
            workers, initializer=faiss.omp_set_num_threads, initargs=(1,)
        ) as pool:
            found = [self._scan_one(q, pool) for q in range(len(self.probes.units))]
        return [floor for floor, _ in found], [rows for _, rows in found]

    def scan_together(self, floors: list[float]) -> tuple[list[float], list[Rows]]:
        """Multiply blocks of rows with all probes, and touch again only what passes the floors.

        Rounds of growing size raise the floors as rows become known.

        Args:
            floors: A first floor for each probe.
        """
        from forensic.gallery.products import product_with, worker_threads

        product = product_with(self.probes.levels)
        kept = [_Kept(floor) for floor in floors]
        blocks = self._blocks()
        done, size = 0, _ROUND_GROWTH
        with worker_threads(faiss.omp_get_max_threads()) as pool:
            while done < len(blocks):
                limits = np.array([k.floor for k in kept]) - self.probes.errors
                parts = pool.map(
                    lambda block, at=limits: self._pass_block(product, at, *block),
                    blocks[done : done + size],
                )
                for q, part in enumerate(_by_probe(list(parts), len(kept))):
                    self._tighten(q, kept[q], *part)
                done, size = done + size, size * _ROUND_GROWTH
        return [k.floor for k in kept], [k.rows for k in kept]

    def _scan_one(self, q: int, pool: ThreadPoolExecutor) -> tuple[float, Rows]:
        pending = dict.fromkeys(range(len(self.codes.shards)), self.k + _SPARE_ROWS)
        lists: dict[int, tuple[Rows, NDArray[np.float64]]] = {}
        error = float(self.probes.errors[q])
        floor = -np.inf
        while pending:
            lists |= dict(
                zip(pending, pool.map(lambda s: self._best_of(q, *s), pending.items()), strict=True)
            )
            rows = np.concatenate([rows for rows, _ in lists.values()])
            near = np.concatenate([approximate for _, approximate in lists.values()])
            if len(rows) >= self.k:
                best = np.argpartition(-near, self.k - 1)[: self.k]
                floor = max(floor, self.floor(q, rows[best]))
            pending = {  # lists that were cut before they fell below the floor
                shard: width * 4
                for shard, width in pending.items()
                if len(lists[shard][0]) == width and lists[shard][1].min() >= floor - error
            }
        return floor, rows[near >= floor - error]

    def _best_of(self, q: int, shard: int, width: int) -> tuple[Rows, NDArray[np.float64]]:
        """Return the `width` best allowed rows of a shard for one probe, and their nearness."""
        index, start = self.codes.shards[shard], self.codes.starts[shard]
        width = min(width, index.ntotal)
        options = {}
        if self.allowed is not None:
            bits = np.packbits(self.allowed[start : start + index.ntotal], bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            options["params"] = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        levels = self.probes.levels[q : q + 1].astype(np.float32)
        products, rows = index.search(levels, width, **options)
        real = rows[0] >= 0
        return rows[0][real] + start, products[0][real] * self.probes.units[q]

    def _blocks(self) -> list[tuple[torch.Tensor, int]]:
        """Return the bytes of the gallery in blocks, with the first row of each."""
        import torch

        blocks = []
        for shard, start in enumerate(self.codes.starts):
            whole = torch.from_numpy(self.codes.bytes_of(shard))
            parts = whole.split(_BLOCK_ROWS)
            blocks += [(part, start + i * _BLOCK_ROWS) for i, part in enumerate(parts)]
        return blocks

    def _pass_block(
        self, product: Product, limits: NDArray[np.float64], block: torch.Tensor, start: int
    ) -> tuple[Rows, NDArray[np.int64], NDArray[np.float64]]:
        """Return row, probe and approximate similarity of all that reach the limits."""
        import torch

        least = np.floor(limits / self.probes.units) - 1
        threshold = torch.from_numpy(least.astype(np.float32))
        products = product(block)
        n_grouped = len(products) // _GROUP_ROWS * _GROUP_ROWS
        groups = products[:n_grouped].view(-1, _GROUP_ROWS, len(limits))
        group, probe = (groups.amax(dim=1) >= threshold).nonzero(as_tuple=True)
        members = groups[group, :, probe]  # (hits, _GROUP_ROWS)
        hit, member = (members >= threshold[probe, None]).nonzero(as_tuple=True)
        tail_row, tail_probe = (products[n_grouped:] >= threshold).nonzero(as_tuple=True)
        rows = torch.cat([group[hit] * _GROUP_ROWS + member, tail_row + n_grouped]).numpy() + start
        probes = torch.cat([probe[hit], tail_probe]).numpy()
        values = torch.cat([members[hit, member], products[n_grouped:][tail_row, tail_probe]])
        near = values.numpy() * self.probes.units[probes]
        if self.allowed is None:
            return rows, probes, near
        admitted = self.allowed[rows]
        return rows[admitted], probes[admitted], near[admitted]

    def _tighten(self, q: int, kept: _Kept, rows: Rows, near: NDArray[np.float64]) -> None:
        """Take in new rows, raise the floor, and drop what no longer reaches it."""
        rows, near = np.concatenate([kept.rows, rows]), np.concatenate([kept.near, near])
        if len(rows) >= self.k:
            best = np.argpartition(-near, self.k - 1)[: self.k]
            kept.floor = max(kept.floor, self.floor(q, rows[best]))
        stays = near >= kept.floor - self.probes.errors[q]
        kept.rows, kept.near = rows[stays], near[stays]


class _Kept:
    """The rows of one probe that could still belong to the answer."""

    def __init__(self, floor: float) -> None:
        self.floor = floor
        self.rows: Rows = np.empty(0, dtype=np.int64)
        self.near: NDArray[np.float64] = np.empty(0)


def _by_probe(
    parts: list[tuple[Rows, NDArray[np.int64], NDArray[np.float64]]], n_probes: int
) -> list[tuple[Rows, NDArray[np.float64]]]:
    """Return rows and approximate similarities of each probe."""
    rows, probes, near = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(probes, kind="stable")
    ends = np.searchsorted(probes[order], np.arange(1, n_probes))
    return list(zip(np.split(rows[order], ends), np.split(near[order], ends), strict=True))
