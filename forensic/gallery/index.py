"""`GalleryIndex`: the unit that is built, searched, saved and verified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_range, check_shape
from forensic.errors import CorruptIndex, EmptyGallery, IndexMismatch, InputError
from forensic.gallery.engines import create_engine
from forensic.gallery.grouping import search_subjects
from forensic.gallery.photos import Photos
from forensic.gallery.similarity import CODED_FROM_ROWS, Engine, check_vectors
from forensic.gallery.store import Sealed, read_sealed, write_sealed
from forensic.values import Candidate, Vectors

if TYPE_CHECKING:
    from forensic.gallery.codes import Codes

MAX_CANDIDATES = 2048
"""The longest list that a search returns."""


class GalleryIndex:
    """Photos of known persons as unit vectors, searched exactly by inner product.

    Similar photos come first, equally similar ones by photo identifier, the same on every
    device. Made by `build` or `load`; changed by `add` and `remove_subjects`.

    Attributes:
        embedder_name: Which embedder made the vectors.
        weights_sha256: SHA-256 of its weights.
        device: Where a search runs: `cpu`, `cuda` or `cuda:N`.
    """

    def __init__(
        self,
        photos: Photos,
        *,
        embedder_name: str,
        weights_sha256: str,
        device: str = "cpu",
        codes: Codes | None = None,
    ) -> None:
        self._photos, self._codes = photos, codes
        self._engine: Engine | None = None
        self.embedder_name, self.weights_sha256 = embedder_name, weights_sha256
        self.device = device

    @classmethod
    def build(
        cls,
        vectors: Vectors,
        *,
        photo_ids: Sequence[str],
        subject_ids: Sequence[str],
        embedder_name: str,
        weights_sha256: str,
        device: str = "cpu",
    ) -> GalleryIndex:
        """Return an index of the given photos.

        Args:
            vectors: (N, D) float32 rows of unit length, N at least 1.
            photo_ids: N identifiers, each used once.
            subject_ids: N identifiers of the person on each photo.
            embedder_name: Which embedder made the vectors.
            weights_sha256: SHA-256 of its weights.
            device: Where to search: `cpu`, `cuda` or `cuda:N`.

        Raises:
            EmptyGallery: There is no row.
            ShapeError: Rows and identifiers differ in number, or a row has no column.
            DtypeError: The vectors are not float32.
            RangeError: A row holds NaN or infinity or is not of unit length.
            InputError: An identifier is empty, or a photo identifier comes twice.
        """
        if len(vectors) == 0:
            raise EmptyGallery("There is no face to index; enrol at least one photo.")
        return cls(
            Photos.of(vectors, photo_ids, subject_ids),
            embedder_name=embedder_name,
            weights_sha256=weights_sha256,
            device=device,
        )

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self._photos.vectors.shape[1])

    @property
    def vectors(self) -> Vectors:
        """(N, D) unit rows; not to be written to."""
        return self._photos.vectors

    @property
    def photo_ids(self) -> Sequence[str]:
        """Identifier of the photo of each row."""
        return self._photos.photo_ids

    @property
    def subject_ids(self) -> Sequence[str]:
        """Identifier of the person of each row."""
        return self._photos.subject_ids

    @property
    def n_subjects(self) -> int:
        """How many different persons the gallery holds."""
        return int(self._photos.subjects.max(initial=-1)) + 1

    def __len__(self) -> int:
        return len(self._photos)

    def add(
        self, vectors: Vectors, *, photo_ids: Sequence[str], subject_ids: Sequence[str]
    ) -> None:
        """Append photos; on an error the index is as it was.

        Raises:
            ShapeError: The dimension differs, or rows and identifiers differ in number.
            DtypeError: The vectors are not float32.
            RangeError: A row holds NaN or infinity or is not of unit length.
            InputError: An identifier is empty, or a photo identifier is in use already.
        """
        others = Photos.of(vectors, photo_ids, subject_ids, dimension=self.dimension)
        self._replace(self._photos.with_more(others))

    def remove_subjects(self, subject_ids: Iterable[str]) -> int:
        """Drop every photo of the given persons, also from memory; return how many were dropped.

        A copy on disk holds them until the next `save`.
        """
        before = len(self)
        self._replace(self._photos.without(subject_ids))
        return before - len(self)

    def search(
        self,
        vectors: Vectors,
        k: int,
        *,
        group_by_subject: bool = True,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[list[Candidate]]:
        """Return the `k` most similar gallery entries of each probe, best first.

        Args:
            vectors: (Q, D) float32 rows of unit length.
            k: 1 to 2048; fewer are returned where the gallery holds fewer.
            group_by_subject: Whether a person appears once, with the best photo, or as often
                as photos match.
            allowed: (N,) mask of the rows that may appear, as a filter; None admits all.

        Raises:
            EmptyGallery: The gallery holds no row.
            ShapeError: The probes have another dimension, or the mask another length.
            DtypeError: The probes are not float32.
            RangeError: `k` is out of range, or a probe is not of unit length.
            DeviceError: The index's device is not there or too small.
        """
        if len(self) == 0:
            raise EmptyGallery("The gallery is empty: there is no face to compare with.")
        check_range(k, 1, MAX_CANDIDATES, name="k")
        check_vectors(vectors, dimension=self.dimension)
        if allowed is not None:
            check_shape(allowed, (len(self),), name="allowed")
        if self._engine is None:
            self._engine = create_engine(
                self.vectors,
                self._photos.tie_order,
                device=self.device,
                codes=self._codes,
                coded_from_rows=CODED_FROM_ROWS,
            )
        rank = partial(self._engine.search, allowed=allowed)
        if group_by_subject:
            found = search_subjects(rank, self._photos.subjects, vectors, k)
        else:
            found = list(zip(*rank(vectors, k), strict=True))
        return [self._candidates(rows, similarities) for rows, similarities in found]

    def save(self, folder: Path | str) -> None:
        """Write the index into `folder`, in place of one there; a crash leaves either whole.

        Raises:
            DataFolderError: The folder holds other files and no index, or is no folder.
            OSError: The disk is full or cannot be written.
        """
        facts: dict[str, Any] = {
            "embedder_name": self.embedder_name,
            "weights_sha256": self.weights_sha256,
            "dimension": self.dimension,
            "rows": len(self),
        }
        arrays = self._photos.arrays
        if self._codes is None and len(self) >= CODED_FROM_ROWS:
            from forensic.gallery.codes import Codes

            self._codes = Codes.encode(self.vectors)
        if self._codes is None:
            write_sealed(Path(folder), arrays, facts=facts)
            return
        facts |= self._codes.facts
        arrays["irregular"] = self._codes.irregular
        write_sealed(Path(folder), arrays, facts=facts, files=self._codes.blobs())

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        expect_embedder: str | None = None,
        expect_weights_sha256: str | None = None,
        device: str = "cpu",
    ) -> GalleryIndex:
        """Open a saved index after checking every byte of it; the vectors stay on disk, mapped.

        Args:
            folder: Where `save` wrote it.
            expect_embedder: Name of the embedder in use, or None to take any.
            expect_weights_sha256: SHA-256 of its weights, or None to take any.
            device: Where to search: `cpu`, `cuda` or `cuda:N`.

        Raises:
            DataFolderError: There is no index in the folder.
            CorruptIndex: A file is missing, cut short or changed.
            IndexMismatch: It was made by another embedder or a newer format.
        """
        index = read_sealed(
            Path(folder), lambda sealed: _index_of(cls, Path(folder), sealed, device)
        )
        for what, expected, actual in (
            ("embedder", expect_embedder, index.embedder_name),
            ("weights SHA-256", expect_weights_sha256, index.weights_sha256),
        ):
            if expected is not None and expected != actual:
                raise IndexMismatch(
                    f"The index in {folder} was made with {what} {actual}, in use is {expected}; "
                    "use that embedder, or build the index again."
                )
        return index

    def _replace(self, photos: Photos) -> None:
        self._photos, self._codes, self._engine = photos, None, None

    def _candidates(
        self, rows: NDArray[np.int64], similarities: NDArray[np.float32]
    ) -> list[Candidate]:
        return [
            Candidate(rank, self.subject_ids[row], self.photo_ids[row], similarity)
            for rank, (row, similarity) in enumerate(
                zip(rows.tolist(), np.clip(similarities, -1, 1).tolist(), strict=True), start=1
            )
        ]


def _index_of(
    cls: type[GalleryIndex],
    folder: Path,
    sealed: Sealed,
    device: str,
) -> GalleryIndex:
    facts, arrays = sealed.facts, sealed.arrays
    try:
        photos = Photos.of_arrays(arrays)
        if photos.vectors.shape != (facts["rows"], facts["dimension"]):
            raise CorruptIndex(f"The vectors in {folder} are not those that its manifest names.")
        return cls(
            photos,
            embedder_name=str(facts["embedder_name"]),
            weights_sha256=str(facts["weights_sha256"]),
            device=device,
            codes=_codes_of(sealed),
        )
    except (KeyError, InputError, UnicodeDecodeError) as error:
        raise CorruptIndex(f"The index in {folder} is incomplete: {error}.") from error


def _codes_of(sealed: Sealed) -> Codes | None:
    if not sealed.files:
        return None
    from forensic.gallery.codes import Codes  # and with it FAISS

    return Codes.of_sealed(sealed)
