"""The rows of a generation while they are being gathered: in constant memory, checked."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import InputError
from forensic.gallery.similarity import check_vectors
from forensic.values import Vectors

SubjectIds = NDArray[np.uint8]
"""(N, 16) uint8, the bytes of each person's UUID."""


@dataclass(frozen=True)
class NumberedPhotos:
    """Photos known by number, of persons known by UUID.

    Attributes:
        photo_ids: (N,) int64, ascending; equally similar photos are listed in this order.
        subject_ids: See `SubjectIds`.
        vectors: (N, D) float32 rows of unit length.
    """

    photo_ids: NDArray[np.int64]
    subject_ids: SubjectIds
    vectors: Vectors


class Draft:
    """Gathers photos in an unnamed file, which is gone when the block or the process ends.

    Args:
        folder: On whose disk to write.
        dimension: D.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self._dimension = dimension
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._photo_ids: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self._subject_ids: list[SubjectIds] = [np.empty((0, 16), dtype=np.uint8)]
        self._last = -1

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, photos: NumberedPhotos) -> None:
        """Add photos whose numbers are higher than all before.

        Raises:
            ShapeError: The dimension differs, or the arrays differ in length.
            DtypeError: The vectors are not float32.
            RangeError: A row holds NaN or infinity or is not of unit length.
            InputError: The numbers do not ascend.
            OSError: The disk is full.
        """
        check_vectors(photos.vectors, dimension=self._dimension)
        count = len(photos.vectors)
        check_shape(photos.photo_ids, (count,), name="photo_ids")
        check_shape(photos.subject_ids, (count, 16), name="subject_ids")
        if (np.diff(photos.photo_ids, prepend=self._last) <= 0).any():
            raise InputError("The numbers of the photos do not ascend.")
        if count:
            self._last = int(photos.photo_ids[-1])
            self._photo_ids.append(photos.photo_ids)
            self._subject_ids.append(photos.subject_ids)
            photos.vectors.tofile(self._file)

    def photos(self) -> NumberedPhotos:
        """Return everything that was added; the vectors are mapped, not read."""
        photo_ids = np.concatenate(self._photo_ids)
        shape = (len(photo_ids), self._dimension)
        self._file.flush()
        vectors: Vectors = np.empty(shape, dtype=np.float32)
        if len(photo_ids):  # an empty file cannot be mapped
            vectors = np.memmap(self._file, dtype=np.float32, mode="r", shape=shape)
        return NumberedPhotos(photo_ids, np.concatenate(self._subject_ids), vectors)
