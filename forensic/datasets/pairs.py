"""Pairs of sketch and photo as tensors, in an order that a seed fixes for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from forensic.datasets.packed import PackedDataset
from forensic.images.tensors import images_to_tensor
from forensic.sketches.registry import SKETCH_STYLES

Batch = dict[str, Tensor]


class SketchPhotoPairs:
    """All pairs of one split and one sketch style, held in memory as bytes.

    A style that the data set does not store is computed once, here.

    Args:
        folder: A packed data set.
        split: `train`, `validation` or `test`.
        style: A name in `SKETCH_STYLES`.
        limit: Keep only the first so many faces.

    Raises:
        DataFolderError: The folder is not a finished data set, or the split is empty.
        HashMismatch: A file was changed since it was written.
        UnknownNameError: No such style.
    """

    def __init__(self, folder: Path, *, split: str, style: str, limit: int | None = None) -> None:
        operator = SKETCH_STYLES[style]
        packed = PackedDataset(folder)
        self.records = packed.in_split(split)[:limit]
        self.photos = packed.images(self.records, "photo")
        if style in packed.manifest["styles"]:
            self.sketches = packed.images(self.records, style)
        else:
            self.sketches = np.stack([operator(photo) for photo in self.photos])

    @property
    def facts(self) -> dict[str, Any]:
        """What a network for these samples must know: the sketches' number of channels."""
        return {"in_channels": self.sketches.shape[3]}

    def __len__(self) -> int:
        return len(self.records)

    def batch(self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None) -> Batch:
        """Return `sketch` (B, C, H, W) and `photo` (B, 3, H, W), float32 in [0, 1].

        Args:
            indices: (B,) positions in this set.
            flips: (B,) which pairs to mirror; sketch and photo are mirrored together.
        """
        sketches, photos = self.sketches[indices], self.photos[indices]
        if flips is not None:
            sketches[flips] = sketches[flips, :, ::-1]
            photos[flips] = photos[flips, :, ::-1]
        return {"sketch": images_to_tensor(sketches), "photo": images_to_tensor(photos)}


class Order:
    """Which samples a training step sees: a pure function of seed and step.

    Because nothing else decides it, a training that resumes at step n goes on exactly as if it had
    never stopped. Each epoch is its own permutation; a last incomplete batch is left out.

    Args:
        n_samples: Size of the training set.
        batch_size: Samples a step.
        seed: Fixes order and mirroring.
    """

    def __init__(self, n_samples: int, *, batch_size: int, seed: int) -> None:
        self.batch_size = min(batch_size, n_samples)
        self.n_samples, self.seed = n_samples, seed
        self.steps_per_epoch = n_samples // self.batch_size
        self._epoch, self._permutation = -1, np.empty(0, dtype=np.intp)

    def at(self, step: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return the (B,) indices and the (B,) mirror flags of a step, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            draw = np.random.default_rng([self.seed, epoch])
            self._epoch, self._permutation = epoch, draw.permutation(self.n_samples)
        first = place * self.batch_size
        indices = self._permutation[first : first + self.batch_size]
        flips = np.random.default_rng([self.seed, epoch, place]).random(self.batch_size) < 0.5
        return indices, flips
