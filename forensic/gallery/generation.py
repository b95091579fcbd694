"""`Generation`: the photos of a gallery at one moment, sealed in a folder, searched by many.

Written once and never changed. Whoever opens it has every byte checked against the manifest, and
the manifest against the SHA-256 that the records hold. The arrays stay on disk, mapped: all
processes that search one generation share one copy of it in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_range, check_shape
from forensic.errors import CorruptIndex, NotIndexed
from forensic.files import sha256_of_file
from forensic.gallery.codes import Codes
from forensic.gallery.drafts import NumberedPhotos, SubjectIds
from forensic.gallery.engines import create_engine
from forensic.gallery.grouping import search_subjects
from forensic.gallery.index import MAX_CANDIDATES
from forensic.gallery.ivf_pq import FILE as IVF_PQ_FILE
from forensic.gallery.ivf_pq import (
    ApproximateSearch,
    IvfPq,
    Recall,
    build_ivf_pq,
    facts_of,
    load_ivf_pq,
)
from forensic.gallery.similarity import CODED_FROM_ROWS, Engine, Rows, check_vectors
from forensic.gallery.store import MANIFEST, Sealed, read_sealed, write_sealed
from forensic.values import Vectors

RankedRows = list[tuple[Rows, NDArray[np.float32]]]
"""For each probe: rows, most similar first, and their similarities."""

_CHUNK_ROWS = 65536


@dataclass(frozen=True)
class Generation:
    """An opened generation.

    Attributes:
        facts: What the manifest says of it.
        photo_ids: (N,) int64, ascending.
        vectors: (N, D) float32 unit rows, mapped.
        subject_numbers: (N,) int64, which row of `subject_table` is each photo's person.
        subject_table: (S, 16) uint8, the UUIDs of the persons.
        exact: Ranks the rows exactly.
        approximate: Ranks them approximately, where such an index was built as well.
        recall: What was measured of it.
    """

    facts: Mapping[str, Any]
    photo_ids: NDArray[np.int64]
    vectors: Vectors
    subject_numbers: NDArray[np.int64]
    subject_table: SubjectIds
    exact: Engine
    approximate: ApproximateSearch | None = None
    recall: Recall | None = None

    def __len__(self) -> int:
        return len(self.photo_ids)

    def subject_ids_of(self, rows: Rows) -> SubjectIds:
        """Return the UUIDs of the persons on the named rows, (len(rows), 16)."""
        return self.subject_table[self.subject_numbers[rows]]

    def rows_of(self, photo_ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.bool_]]:
        """Return where photos lie, and which of them lie here at all; both as long as given."""
        if len(self) == 0:
            return np.zeros(len(photo_ids), dtype=np.int64), np.zeros(len(photo_ids), dtype=bool)
        rows = np.minimum(np.searchsorted(self.photo_ids, photo_ids), len(self) - 1)
        return rows, self.photo_ids[rows] == photo_ids

    def mask_of(self, photo_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the (N,) mask of those of the photos that this generation holds."""
        mask = np.zeros(len(self), dtype=bool)
        rows, is_here = self.rows_of(photo_ids)
        mask[rows[is_here]] = True
        return mask

    def count_subjects(self, allowed: NDArray[np.bool_] | None = None) -> int:
        """Return how many persons the allowed photos show."""
        numbers = self.subject_numbers if allowed is None else self.subject_numbers[allowed]
        return int(np.count_nonzero(np.bincount(numbers, minlength=1)))

    def search(
        self,
        vectors: Vectors,
        k: int,
        *,
        group_by_subject: bool = True,
        allowed: NDArray[np.bool_] | None = None,
        approximate: bool = False,
    ) -> RankedRows:
        """Return the most similar rows of each probe, equal ones by photo number.

        Args:
            vectors: (Q, D) float32 rows of unit length.
            k: 1 to 2048; fewer are returned where fewer are allowed.
            group_by_subject: Whether a person appears once, with the best photo.
            allowed: (N,) mask of the rows that may be returned; None admits all.
            approximate: Use the approximate index, which may miss rows; else nothing is missed.

        Raises:
            NotIndexed: There is no approximate index.
            ShapeError: The probes have another dimension, or the mask another length.
            DtypeError: The probes are not float32.
            RangeError: `k` is out of range, or a probe is not of unit length.
        """
        check_range(k, 1, MAX_CANDIDATES, name="k")
        check_vectors(vectors, dimension=self.vectors.shape[1])
        if allowed is not None:
            check_shape(allowed, (len(self),), name="allowed")
        if len(self) == 0:
            return [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)) for _ in vectors]
        engine = self._approximate_engine() if approximate else self.exact
        rank = partial(engine.search, allowed=allowed)
        if group_by_subject:
            return search_subjects(rank, self.subject_numbers, vectors, k)
        return list(zip(*rank(vectors, k), strict=True))

    def _approximate_engine(self) -> ApproximateSearch:
        if self.approximate is None:
            raise NotIndexed("No approximate index was built for this gallery.")
        return self.approximate

    def similarity_spread(
        self, vectors: Vectors, *, allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Return the standard deviation of each probe's similarity over the allowed rows, (Q,).

        NaN where no row is allowed.

        Args:
            vectors: (Q, D) float32 rows of unit length.
            allowed: (N,) mask of the rows that count; None counts all.

        Raises:
            ShapeError: The probes have another dimension.
            DtypeError: The probes are not float32.
            RangeError: A probe is not of unit length.
        """
        check_vectors(vectors, dimension=self.vectors.shape[1])
        count, total, squares = 0, np.zeros(len(vectors)), np.zeros(len(vectors))
        for start in range(0, len(self), _CHUNK_ROWS):
            chunk = self.vectors[start : start + _CHUNK_ROWS]
            if allowed is not None:
                chunk = chunk[allowed[start : start + _CHUNK_ROWS]]
            similarities = (vectors @ chunk.T).astype(np.float64)
            count += len(chunk)
            total += similarities.sum(axis=1)
            squares += np.square(similarities).sum(axis=1)
        if count == 0:
            return np.full(len(vectors), np.nan)
        return np.sqrt(np.maximum(squares / count - np.square(total / count), 0))


@dataclass(frozen=True)
class Written:
    """What was written of a generation.

    Attributes:
        manifest_sha256: SHA-256 of its manifest, for the records.
        recall: Measured recall of its approximate index, where there is one.
    """

    manifest_sha256: str
    recall: Recall | None


def write_generation(
    folder: Path,
    photos: NumberedPhotos,
    *,
    facts: Mapping[str, Any],
    ivf_pq: IvfPq | None = None,
) -> Written:
    """Write photos as a generation into a new folder.

    Args:
        folder: Where it will lie; must not hold anything yet.
        photos: Checked rows.
        facts: JSON values for the manifest.
        ivf_pq: Build an approximate index as well, and measure its recall.

    Raises:
        DataFolderError: The folder holds other files.
        RangeError: The approximate index cannot be built so.
        OSError: The disk is full or cannot be written.
    """
    vectors, tie_order = photos.vectors, photos.photo_ids
    table, numbers = _numbered(photos.subject_ids)
    arrays: dict[str, NDArray[Any]] = {
        "vectors": vectors,
        "photo_ids": photos.photo_ids,
        "subject_numbers": numbers,
        "subject_table": table,
    }
    told = dict(facts) | {"rows": len(vectors), "dimension": vectors.shape[1]}
    codes, recall = None, None
    files: list[Iterable[tuple[str, NDArray[np.uint8]]]] = []
    if len(vectors) >= CODED_FROM_ROWS:
        codes = Codes.encode(vectors)
        arrays["irregular"] = codes.irregular
        told |= codes.facts
        files.append(codes.blobs())
    if ivf_pq is not None:
        exact = create_engine(vectors, tie_order, codes=codes)
        content, options, recall = build_ivf_pq(vectors, tie_order, ivf_pq, exact=exact)
        told |= facts_of(options, recall)
        files.append([(IVF_PQ_FILE, content)])
    write_sealed(folder, arrays, facts=told, files=chain.from_iterable(files))
    return Written(sha256_of_file(folder / MANIFEST), recall)


def open_generation(folder: Path, *, manifest_sha256: str, device: str = "cpu") -> Generation:
    """Open a generation after checking every byte of it.

    Args:
        folder: Where it lies.
        manifest_sha256: What the records say of its manifest.
        device: Where to search: `cpu`, `cuda` or `cuda:N`.

    Raises:
        CorruptIndex: A file is missing, cut short or changed, or is not the one recorded.
        DataFolderError: There is no generation in the folder.
        IndexMismatch: It has a newer format.
        DeviceError: The device is not there or too small.
    """
    opened = read_sealed(folder, lambda sealed: _generation_of(sealed, folder, device))
    try:
        found = sha256_of_file(folder / MANIFEST)
    except OSError as error:  # a publisher deleted it since
        raise CorruptIndex(f"{folder / MANIFEST} cannot be read: {error}.") from error
    if found != manifest_sha256:
        raise CorruptIndex(f"{folder / MANIFEST} is not the manifest that the records hold.")
    return opened


def _generation_of(sealed: Sealed, folder: Path, device: str) -> Generation:
    facts, arrays = sealed.facts, sealed.arrays
    try:
        vectors, photo_ids = arrays["vectors"], arrays["photo_ids"]
        if vectors.shape != (facts["rows"], facts["dimension"]):
            raise CorruptIndex(f"The vectors in {folder} are not those that its manifest names.")
        codes = Codes.of_sealed(sealed)
        engine = create_engine(vectors, photo_ids, device=device, codes=codes)
        approximate, recall = None, None
        if IVF_PQ_FILE in sealed.files:
            path = sealed.files[IVF_PQ_FILE]
            approximate = load_ivf_pq(path, vectors, photo_ids, facts=facts["ivf_pq"])
            recall = Recall(**facts["recall"])
        return Generation(
            facts,
            photo_ids,
            vectors,
            arrays["subject_numbers"],
            arrays["subject_table"],
            engine,
            approximate,
            recall,
        )
    except KeyError as error:
        raise CorruptIndex(f"The generation in {folder} is incomplete: {error}.") from error


def _numbered(subject_ids: SubjectIds) -> tuple[SubjectIds, NDArray[np.int64]]:
    """Return the different persons, (S, 16), and which of them each row is, (N,)."""
    whole = np.ascontiguousarray(subject_ids).view("V16").reshape(-1)
    different, numbers = np.unique(whole, return_inverse=True)
    table = different.view(np.uint8).reshape(-1, 16)
    return table, numbers.astype(np.int64)
