"""Photos with their aligned and their deformed sketches, the triplets of DeepFacePencil."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from forensic.datasets.packed import PackedDataset
from forensic.datasets.pairs import SketchPhotoPairs
from forensic.errors import DataFolderError, UnknownNameError
from forensic.images.frame import Frame
from forensic.images.tensors import images_to_tensor

BOUNDARY, DEFORMED = "boundary", "deformed"
"""What a packed data set calls the two sketches of a face."""


class DeformedPairs(SketchPhotoPairs):
    """Pairs of photo and boundaries, and the boundaries again with strokes deformed.

    Args:
        folder: A packed data set of `forensic dataset boundaries`.
        split: `train`, `validation` or `test`.
        limit: Keep only so many faces.
        crop_hw: Centre crop of all three.
        size_hw: Size of all three after the crop.

    Raises:
        DataFolderError: See `SketchPhotoPairs`; or the data set has no such sketches.
        HashMismatch: A file was changed since it was written.
        ShapeError: A picture is smaller than the crop.
    """

    def __init__(
        self,
        folder: Path,
        *,
        split: str,
        limit: int | None = None,
        crop_hw: Sequence[int] | None = None,
        size_hw: Sequence[int] | None = None,
    ) -> None:
        try:
            super().__init__(
                folder, split=split, style=BOUNDARY, limit=limit, crop_hw=crop_hw, size_hw=size_hw
            )
        except UnknownNameError as error:  # neither stored nor to be computed from a photo
            raise DataFolderError(
                f"{folder} stores no {BOUNDARY!r} images. "
                "Make such a data set with `forensic dataset boundaries`."
            ) from error

    def _read(self, packed: PackedDataset) -> None:
        super()._read(packed)
        deformed = packed.images(self.records, DEFORMED)
        if self.frame != Frame():
            deformed = np.stack([self.frame.apply(sketch) for sketch in deformed])
        self.deformed = deformed

    def batch(
        self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None
    ) -> dict[str, Tensor]:
        """Return `sketch`, `deformed` (B, 1, H, W) and `photo` (B, 3, H, W) in [0, 1].

        Args:
            indices: (B,) positions in this set.
            flips: (B,) which triplets to mirror.
        """
        records = self._samples[indices, 0]
        deformed = self.deformed[records]
        if flips is not None:
            deformed[flips] = deformed[flips, :, ::-1]
        return {**super().batch(indices, flips=flips), DEFORMED: images_to_tensor(deformed)}
