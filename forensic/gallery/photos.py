"""The rows of a gallery: vectors with the identifiers of photo and person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import InputError
from forensic.gallery.names import Names
from forensic.gallery.similarity import check_vectors
from forensic.values import Vectors


class Photos:
    """Photos of a gallery, never changed once made.

    Attributes:
        vectors: (N, D) float32 rows of unit length.
        photo_ids: Identifier of each photo.
        subject_ids: Identifier of the person on each photo.
    """

    def __init__(self, vectors: Vectors, photo_ids: Names, subject_ids: Names) -> None:
        self.vectors, self.photo_ids, self.subject_ids = vectors, photo_ids, subject_ids

    @classmethod
    def of(
        cls,
        vectors: Vectors,
        photo_ids: Sequence[str],
        subject_ids: Sequence[str],
        *,
        dimension: int | None = None,
    ) -> Photos:
        """Return a copy of the rows after checking them.

        Raises:
            ShapeError: Rows and identifiers differ in number, or D is not `dimension`.
            DtypeError: The vectors are not float32.
            RangeError: A row holds NaN or infinity or is not of unit length.
            InputError: An identifier is empty or no text, or a photo identifier comes twice.
        """
        check_vectors(vectors, dimension=dimension)
        for name, ids in (("photo_ids", photo_ids), ("subject_ids", subject_ids)):
            check_shape(np.empty(len(ids)), (len(vectors),), name=name)
            if not all(isinstance(i, str) and i for i in ids):
                raise InputError(f"{name} holds an empty identifier or one that is no text.")
        seen: set[str] = set()
        for photo_id in photo_ids:
            if photo_id in seen:
                raise InputError(f"Photo {photo_id!r} comes twice; an identifier names one photo.")
            seen.add(photo_id)
        return cls(vectors.copy(), Names.of(photo_ids), Names.of(subject_ids))

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Photos:
        """Return the photos that `arrays` describes, without a copy.

        Raises:
            KeyError: An array is missing.
            InputError: The arrays do not fit one another.
        """
        vectors = arrays["vectors"]
        photo_ids = Names(arrays["photo_text"], arrays["photo_ends"])
        subject_ids = Names(arrays["subject_text"], arrays["subject_ends"])
        if vectors.dtype != np.float32 or vectors.ndim != 2:
            raise InputError("The vectors are no float32 rows.")
        if not len(photo_ids) == len(subject_ids) == len(vectors):
            raise InputError("Vectors and identifiers differ in number.")
        return cls(vectors, photo_ids, subject_ids)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What to save of the photos, by name."""
        return {
            "vectors": self.vectors,
            "photo_text": self.photo_ids.text,
            "photo_ends": self.photo_ids.ends,
            "subject_text": self.subject_ids.text,
            "subject_ends": self.subject_ids.ends,
        }

    def __len__(self) -> int:
        return len(self.vectors)

    def with_more(self, others: Photos) -> Photos:
        """Return these photos and the others behind them.

        Raises:
            InputError: A photo is in both.
        """
        known = set(self.photo_ids).intersection(others.photo_ids)
        if known:
            raise InputError(f"Photo {min(known)!r} is in the gallery already; remove it first.")
        return Photos(
            np.concatenate([self.vectors, others.vectors]),
            Names.of([*self.photo_ids, *others.photo_ids]),
            Names.of([*self.subject_ids, *others.subject_ids]),
        )

    def without(self, subject_ids: Iterable[str]) -> Photos:
        """Return the photos of all but the given persons."""
        gone = set(subject_ids)
        rows = [i for i, subject in enumerate(self.subject_ids) if subject not in gone]
        return Photos(
            self.vectors[rows],
            Names.of([self.photo_ids[i] for i in rows]),
            Names.of([self.subject_ids[i] for i in rows]),
        )

    @cached_property
    def tie_order(self) -> NDArray[np.int64]:
        """(N,) place of each row when rows are sorted by photo identifier."""
        names = list(self.photo_ids)
        places = np.empty(len(names), dtype=np.int64)
        places[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        return places

    @cached_property
    def subjects(self) -> NDArray[np.int64]:
        """(N,) number of each row's person, from 0, equal for equal identifiers."""
        numbers: dict[str, int] = {}
        return np.array(
            [numbers.setdefault(s, len(numbers)) for s in self.subject_ids], dtype=np.int64
        )
