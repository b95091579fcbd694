"""Gallery rows as one byte per number, with bounds on what that costs.

A row x is stored as x' = scale · c with whole numbers c from -127 to 127, kept as the bytes
c + 128 in shards that are FAISS scalar-quantizer indexes: FAISS scans them for one probe, a
matrix product reads the same bytes for many, and a saved shard is memory-mapped, so that
several processes share one copy. A probe q is rounded in the same way to q', hence

    |q·x - q'·x'| <= |q| |x - x'| + |q - q'| |x'|

holds without any assumption about the data. All rows but a few, the irregular ones, keep
|x - x'| below one bound; the few are listed, and a search looks at them in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from forensic.gallery.similarity import NORM_TOLERANCE, rounding_error
from forensic.gallery.store import Sealed
from forensic.values import Vectors

SHARD_ROWS = 65536
LEVELS = 127

_IRREGULAR_SHARE = 1 / 1024
_CHUNK_ROWS = 8192
_SHARD = "codes-"


@dataclass(frozen=True)
class Probes:
    """Probes rounded to whole numbers.

    Attributes:
        levels: (Q, D) int8.
        units: (Q,) float64; times an integer product it gives the approximate similarity.
        errors: (Q,) float64; how far that may be from the similarity of any regular row.
    """

    levels: NDArray[np.int8]
    units: NDArray[np.float64]
    errors: NDArray[np.float64]


@dataclass(frozen=True)
class Codes:
    """The rounded rows of a gallery.

    Attributes:
        shards: FAISS indexes of `SHARD_ROWS` rows each (the last may have fewer).
        scale: What one level is worth.
        residual: Bound on |x - x'| of every regular row.
        irregular: Sorted rows that exceed it.
    """

    shards: tuple[Any, ...]
    scale: float
    residual: float
    irregular: NDArray[np.int64]

    @classmethod
    def encode(cls, vectors: Vectors, *, shard_rows: int = SHARD_ROWS) -> Codes:
        """Return the codes of (N, D) float32 unit rows."""
        n_irregular = int(len(vectors) * _IRREGULAR_SHARE)
        peaks = np.concatenate([np.abs(chunk).max(axis=1) for chunk in _chunks(vectors)])
        scale = np.float32(_quantile(peaks, n_irregular) / LEVELS)
        shards, residuals = [], []
        for start in range(0, len(vectors), shard_rows):
            shard = _empty_shard(vectors.shape[1])
            for chunk in _chunks(vectors[start : start + shard_rows]):
                levels = np.clip(np.rint(chunk / scale), -LEVELS, LEVELS)
                residuals.append(_lengths_upwards(chunk - levels * scale))
                shard.add_sa_codes((levels + 128).astype(np.uint8))
            shards.append(shard)
        distances = np.concatenate(residuals)
        bound = _quantile(distances, n_irregular)
        return cls(tuple(shards), float(scale), bound, np.flatnonzero(distances > bound))

    @classmethod
    def load(
        cls, files: Sequence[Path], *, scale: float, residual: float, irregular: NDArray[np.int64]
    ) -> Codes:
        """Return saved codes; the shards stay on disk, mapped into memory."""
        shards = tuple(faiss.read_index(str(f), faiss.IO_FLAG_MMAP_IFC) for f in files)
        return cls(shards, scale, residual, irregular)

    @classmethod
    def of_sealed(cls, sealed: Sealed) -> Codes | None:
        """Return the codes in a sealed folder, None where it holds none.

        Raises:
            KeyError: The folder holds shards of codes, but not what belongs to them.
        """
        shards = [path for name, path in sealed.files.items() if name.startswith(_SHARD)]
        if not shards:
            return None
        return cls.load(
            shards,
            scale=sealed.facts["scale"],
            residual=sealed.facts["residual"],
            irregular=sealed.arrays["irregular"],
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What a manifest must say of the codes, beside the array `irregular` and the shards."""
        return {"scale": self.scale, "residual": self.residual}

    @property
    def n_bytes(self) -> int:
        """How many bytes a search reads at least."""
        return sum(shard.ntotal * shard.d for shard in self.shards)

    @cached_property
    def starts(self) -> list[int]:
        """The first row of each shard."""
        return [0, *accumulate(shard.ntotal for shard in self.shards[:-1])]

    def bytes_of(self, shard: int) -> NDArray[np.uint8]:
        """Return the bytes of one shard, (rows, D), as a view that must not be written."""
        index = self.shards[shard]
        flat = faiss.rev_swig_ptr(index.codes.data(), index.ntotal * index.d)
        return flat.reshape(index.ntotal, index.d)

    def blobs(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Yield file name and content of each shard, for saving."""
        for number, shard in enumerate(self.shards):
            yield f"{_SHARD}{number:05}.faiss", faiss.serialize_index(shard)

    def round_probes(self, queries: Vectors) -> Probes:
        """Return probes of (Q, D) float32 as whole numbers, with the error of each."""
        wide = queries.astype(np.float64)
        steps = np.abs(wide).max(axis=1) / LEVELS
        levels = np.rint(wide / steps[:, None])
        lengths = np.linalg.norm(wide, axis=1)
        rounding = np.linalg.norm(wide - levels * steps[:, None], axis=1)
        code_length = 1 + NORM_TOLERANCE + self.residual
        errors = lengths * self.residual + rounding * code_length
        errors += rounding_error(queries.shape[1]) * code_length
        return Probes(levels.astype(np.int8), steps * self.scale, errors)


def _empty_shard(dimension: int) -> Any:
    shard: Any = faiss.IndexScalarQuantizer(
        dimension, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
    )
    shard.is_trained = True  # whole numbers have nothing to train
    return shard


def _chunks(vectors: Vectors) -> Iterator[Vectors]:
    return (vectors[i : i + _CHUNK_ROWS] for i in range(0, len(vectors), _CHUNK_ROWS))


def _quantile(values: NDArray[np.float32], n_above: int) -> float:
    """Return the least value that at most `n_above` of the values exceed."""
    return float(np.partition(values, -1 - n_above)[-1 - n_above])


def _lengths_upwards(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return lengths of rows, raised by more than float32 can have lost on the way."""
    lengths: NDArray[np.float32] = np.sqrt(np.einsum("nd,nd->n", differences, differences))
    return lengths * np.float32(1.001) + np.float32(1e-6)
