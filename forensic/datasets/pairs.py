"""Pairs of sketch and photo as tensors, in an order that a seed fixes for ever."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from forensic.datasets.packed import LOSSLESS, PackedDataset, Record
from forensic.datasets.splits import leaky_split
from forensic.errors import DataFolderError, RangeError, ShapeError
from forensic.images.frame import Frame, create_frame
from forensic.images.tensors import images_to_tensor
from forensic.sketches.registry import SKETCH_STYLES

Batch = dict[str, Tensor]

UNHELD_VALIDATION = 100
"""How many training pairs are looked at again where nothing is held out for validation."""


class SketchPhotoPairs:
    """All pairs of one split and one kind of sketch, held in memory as bytes.

    Whatever changes a pair - crop, size, mirroring, turning - is drawn once and done to sketch and
    photo alike.

    Args:
        folder: A packed data set.
        split: `train`, `validation` or `test`.
        style: A kind of image that the data set stores, such as `drawing`, or a name in
            `SKETCH_STYLES`, which is computed once, here, where it is not stored; the photos must
            then be kept without loss.
        limit: Keep only so many faces: the first, or a random choice by `subset_seed`.
        subset_seed: Chooses the faces of `limit`.
        crop_hw: Centre crop of both sides.
        size_hw: Size of both sides after the crop.
        symmetries: 1: pairs as they are; 2: mirrored where a training step asks for it; 8: every
            pair in all eight rotations and reflections of the square, each a sample of its own.
        people: `disjoint` takes the stored split; `leaky` splits pictures instead of people, see
            `leaky_split`, whatever was stored.
        hold_out: False where a paper holds nothing out: `validation` then means the training
            pairs themselves (the first 100), and no test picture chooses the weights.

    Raises:
        DataFolderError: The folder is not a finished data set, the split is empty, one photo lies
            on two sides of the split, or a style would be drawn from photos kept with loss.
        HashMismatch: A file was changed since it was written.
        UnknownNameError: No such style.
        ShapeError: A picture is smaller than the crop, or not square where it should be turned.
        RangeError: Another number of symmetries, or another way to split.
    """

    def __init__(
        self,
        folder: Path,
        *,
        split: str,
        style: str,
        limit: int | None = None,
        subset_seed: int | None = None,
        crop_hw: Sequence[int] | None = None,
        size_hw: Sequence[int] | None = None,
        symmetries: int = 2,
        people: str = "disjoint",
        hold_out: bool = True,
    ) -> None:
        if symmetries not in (1, 2, 8):
            raise RangeError(f"symmetries is {symmetries}, expected 1, 2 or 8.")
        if people not in ("disjoint", "leaky"):
            raise RangeError(f"people is {people!r}, expected 'disjoint' or 'leaky'.")
        packed = PackedDataset(folder)
        if style not in packed.manifest["styles"]:
            SKETCH_STYLES[style]
            _demand_lossless(packed)
        self.style, self.symmetries = style, symmetries
        self.frame = create_frame(crop_hw=crop_hw, size_hw=size_hw)
        self.geometry: str = packed.manifest["geometry"]
        source = "train" if split == "validation" and not hold_out else split
        records = packed.records if people == "leaky" else packed.in_split(source)
        check_records(packed.records, folder=folder)
        self.records = _choose(records, limit, subset_seed)
        self._read(packed)
        self._samples = self._list_samples(source, people)
        if split == "validation" and not hold_out:
            self._samples = self._samples[:UNHELD_VALIDATION]

    def _read(self, packed: PackedDataset) -> None:
        photos = packed.images(self.records, "photo")
        if self.style in packed.manifest["styles"]:
            sketches = packed.images(self.records, self.style)
        else:
            operator = SKETCH_STYLES[self.style]
            sketches = np.stack([operator(photo) for photo in photos])
        if self.frame != Frame():
            photos = np.stack([self.frame.apply(photo) for photo in photos])
            sketches = np.stack([self.frame.apply(sketch) for sketch in sketches])
        self.photos, self.sketches = photos, sketches
        if self.symmetries == 8 and photos.shape[1] != photos.shape[2]:
            raise ShapeError(
                "Only square pictures can be turned: give size_hw with two equal numbers.",
                actual_shape=photos.shape[1:3],
                expected_shape="equal height and width",
            )

    def _list_samples(self, split: str, people: str) -> NDArray[np.intp]:
        """Return (n, 2) rows of record and symmetry."""
        turns = 8 if self.symmetries == 8 else 1
        grid = np.indices((len(self.records), turns)).reshape(2, -1).T
        if people == "disjoint":
            return np.ascontiguousarray(grid)
        is_test = leaky_split(len(grid))
        return np.ascontiguousarray(grid[is_test if split == "test" else ~is_test])

    @property
    def facts(self) -> dict[str, Any]:
        """What a network for these samples must know: the sketches' number of channels."""
        return {"in_channels": self.sketches.shape[3]}

    @property
    def metadata(self) -> dict[str, str]:
        """What is stored beside weights, so that they can be used without the recipe."""
        return {"style": self.style, "geometry": self.geometry, "frame": self.frame.to_json()}

    @property
    def subjects(self) -> list[str]:
        """The person on each sample."""
        return [self.records[record].subject for record, _ in self._samples]

    def __len__(self) -> int:
        return len(self._samples)

    def batch(self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None) -> Batch:
        """Return `sketch` (B, C, H, W) and `photo` (B, 3, H, W), float32 in [0, 1].

        Args:
            indices: (B,) positions in this set.
            flips: (B,) which pairs to mirror; without effect unless there are two symmetries.
        """
        records, turns = self._samples[indices].T
        sketches, photos = self.sketches[records], self.photos[records]
        if self.symmetries == 8:
            sketches = np.stack([_turn(s, t) for s, t in zip(sketches, turns, strict=True)])
            photos = np.stack([_turn(p, t) for p, t in zip(photos, turns, strict=True)])
        elif flips is not None and self.symmetries == 2:
            sketches[flips] = sketches[flips, :, ::-1]
            photos[flips] = photos[flips, :, ::-1]
        return {"sketch": images_to_tensor(sketches), "photo": images_to_tensor(photos)}


def check_records(records: Sequence[Record], *, folder: Path) -> None:
    """Refuse a data set in which one photo lies on two sides of the split.

    It would be trained on and then tested on. Two copies on one side do less harm and pass.

    Raises:
        DataFolderError: There are such photos; the message names them.
    """
    first: dict[str, Record] = {}
    double = []
    for record in records:
        other = first.setdefault(record.source_sha256, record)
        if other.split != record.split:
            double.append(f"{record.key} ({record.split}) = {other.key} ({other.split})")
    if double:
        raise DataFolderError(
            f"{folder} holds {len(double)} photos on two sides of its split: "
            f"{'; '.join(double[:5])}. Remove one of each and build it again."
        )


def _demand_lossless(packed: PackedDataset) -> None:
    # A line drawing of a photo from WebP at quality 95 shows the compression: CSI's line model
    # learnt to read it, and fell from 22.2 to 19.3 dB on photos that were never compressed so.
    if packed.manifest.get("quality") != LOSSLESS:
        raise DataFolderError(
            f"{packed.folder} keeps its photos with loss: sketches drawn from them would show a "
            "network the traces of compression. Build it again with --quality 100, or store the "
            "style with --styles."
        )


def _choose(records: list[Record], limit: int | None, seed: int | None) -> list[Record]:
    if limit is None or seed is None:
        return records[:limit]
    order = np.random.default_rng(seed).permutation(len(records))[:limit]
    return [records[i] for i in np.sort(order)]


def _turn(image: NDArray[np.uint8], symmetry: int) -> NDArray[np.uint8]:
    """Return one of eight: 0 to 3 quarter turns, 4 to 7 the same of the mirror image."""
    return np.rot90(image[:, ::-1] if symmetry >= 4 else image, symmetry % 4)


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
