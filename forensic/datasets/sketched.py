"""Drawings and photos with the vectors that sketches of them should get.

The folder is one that `forensic dataset adapter` wrote: packed data sets beside each other, each
with the embedder's vectors of its photos. A record may hold a photo, a person's drawing, drawings
by operators, or nothing: then only its vector serves, as somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensic.check import check_range
from forensic.datasets.packed import MANIFEST, PackedDataset, Record
from forensic.datasets.taught import DRAWING, DRAWN, PHOTO, TO_DRAW, load_targets
from forensic.errors import DataFolderError
from forensic.images.color import gray_to_rgb
from forensic.values import Vectors

Pictures = NDArray[np.uint8]
"""(N, H, W, 3) images."""


class SketchedFaces:
    """Drawings and photos of one split, in memory as bytes, and everybody's vectors.

    In training, drawings made by people are few beside the photos, so each is repeated as often
    as brings all of them to `drawing_share` of the set. A photo is left a photo, shown as a
    stored drawing of an operator, or marked as still to be drawn, by chance of torch's generator.
    In validation every held-out person's drawing appears once.

    Args:
        folder: What `forensic dataset adapter` wrote.
        split: `train` or `validation`.
        drawing_share: Share of people's drawings in training, 0 to 0.9.
        photo_share: Share of the photos that stay photos in training.
        stored_share: Share of the others that are shown as stored drawings, where there are any.
        without: Sources, i.e. first parts of keys, to leave out of training altogether.
        emphasis: Factor by source on how often a drawing is repeated; 1 where nothing is said.

    Raises:
        DataFolderError: No data set, an empty split, no vectors, or those of two embedders.
        HashMismatch: A file was changed since it was written.
        RangeError: A share is out of range.
    """

    def __init__(
        self,
        folder: Path,
        *,
        split: str,
        drawing_share: float = 0.55,
        photo_share: float = 0.1,
        stored_share: float = 0.5,
        without: Sequence[str] = (),
        emphasis: Mapping[str, float] | None = None,
    ) -> None:
        check_range(drawing_share, 0, 0.9, name="drawing_share")
        check_range(photo_share, 0, 1, name="photo_share")
        self._is_training = split == "train"
        self._photo_share, self._stored_share = photo_share, stored_share
        sets = [_Taught(path) for path in _data_sets(folder)]
        if len({taught.teacher for taught in sets}) != 1:
            raise DataFolderError(f"{folder} holds vectors of different embedders. Make it anew.")
        self.teacher = sets[0].teacher
        left_out = frozenset(without) if self._is_training else frozenset()
        parts = [taught.part(split, left_out) for taught in sets]
        records = [record for part in parts for record in part.records]
        self._targets = torch.from_numpy(np.concatenate([part.vectors for part in parts]))
        self._people = torch.from_numpy(_numbered([record.subject for record in records]))
        self._photos = _joined([part.photos for part in parts])
        self._photo_rows = np.flatnonzero(["photo" in record.images for record in records])
        self._drawn, self._drawn_rows, names = _drawings(parts)
        self._stored = _by_row(self._drawn_rows, [name != DRAWING for name in names])
        by_hand = np.flatnonzero([name == DRAWING for name in names])
        sources = [records[row].key.partition("/")[0] for row in self._drawn_rows[by_hand]]
        self._items = self._list_items(by_hand, sources, drawing_share, emphasis or {})
        if not len(self._items):
            raise DataFolderError(f"{folder} has no drawing for the split {split!r}.")

    @property
    def facts(self) -> dict[str, Any]:
        """What the training of an adapter must know: everybody's vectors, and whose they are."""
        return {
            "bank": self._targets,
            "people": self._people,
            "teacher_weights_sha256": self.teacher,
        }

    @property
    def metadata(self) -> dict[str, str]:
        """Nothing that a user of the weights must know of the samples."""
        return {}

    def _list_items(
        self,
        by_hand: NDArray[np.intp],
        sources: Sequence[str],
        drawing_share: float,
        emphasis: Mapping[str, float],
    ) -> NDArray[np.intp]:
        """Return (item, is drawing) rows of everything that can be asked for by index."""
        drawings = np.stack([by_hand, np.ones_like(by_hand)], axis=1)
        if not self._is_training:
            return drawings
        photos = np.arange(len(self._photo_rows))
        factors = np.array([emphasis.get(source, 1.0) for source in sources])
        wanted = drawing_share / (1 - drawing_share) * len(photos)
        times = np.rint(factors * wanted / max(factors.sum(), 1e-9)).astype(int).clip(1)
        return np.concatenate(
            [np.stack([photos, np.zeros_like(photos)], axis=1), drawings.repeat(times, axis=0)]
        )

    def __len__(self) -> int:
        return len(self._items)

    def batch(
        self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None
    ) -> dict[str, Tensor]:
        """Return faces as bytes, their kinds, whose they are, and the vectors of their photos.

        Args:
            indices: (B,) positions in this set.
            flips: (B,) which faces to mirror; their targets, being of both mirror images, stay.

        Returns:
            `face` (B, H, W, 3) uint8; `kind` (B,) PHOTO, TO_DRAW or DRAWN; `target` (B, D) unit
            rows; `person` (B,). In validation `others` (K, D) and `others_person` (K,) too, all
            vectors of the split; numbers of people count within one split.
        """
        chosen = [self._face(*self._items[index]) for index in indices]
        faces = np.stack([face for face, *_ in chosen])
        if flips is not None:
            faces[flips] = faces[flips, :, ::-1]
        rows = torch.tensor([row for _, row, _ in chosen])
        batch = {
            "face": torch.from_numpy(faces),
            "kind": torch.tensor([kind for *_, kind in chosen]),
            "target": self._targets[rows],
            "person": self._people[rows],
        }
        if self._is_training:
            return batch
        return {**batch, "others": self._targets, "others_person": self._people}

    def _face(self, item: int, is_drawing: int) -> tuple[Pictures, int, int]:
        """Return picture, row and kind."""
        if is_drawing:
            return self._drawn[item], int(self._drawn_rows[item]), DRAWN
        row = int(self._photo_rows[item])
        if float(torch.rand(())) < self._photo_share:
            return self._photos[item], row, PHOTO
        stored = self._stored.get(row, [])
        if stored and float(torch.rand(())) < self._stored_share:
            return self._drawn[stored[int(torch.randint(len(stored), ()))]], row, DRAWN
        return self._photos[item], row, TO_DRAW


class _Taught:
    """One packed data set with its vectors."""

    def __init__(self, folder: Path) -> None:
        self.packed = PackedDataset(folder)
        self.vectors, teacher = load_targets(folder)
        self.teacher = str(teacher["weights_sha256"])

    def part(self, split: str, left_out: frozenset[str]) -> _Part:
        rows = [
            row
            for row, record in enumerate(self.packed.records)
            if record.split == split and record.key.partition("/")[0] not in left_out
        ]
        return _Part(self.packed, [self.packed.records[row] for row in rows], self.vectors[rows])


class _Part:
    """The records of one split of one data set, with all their pictures."""

    def __init__(self, packed: PackedDataset, records: list[Record], vectors: Vectors) -> None:
        self.records, self.vectors = records, vectors
        self.photos = _images(packed, [r for r in records if "photo" in r.images], "photo")
        names = sorted({name for record in records for name in record.images} - {"photo"})
        self.drawn: dict[str, tuple[list[int], Pictures | None]] = {}
        for name in names:
            rows = [row for row, record in enumerate(records) if name in record.images]
            self.drawn[name] = rows, _images(packed, [records[row] for row in rows], name)


def _drawings(parts: Sequence[_Part]) -> tuple[Pictures, NDArray[np.intp], list[str]]:
    """Return all drawings of all parts, their rows counted through, and their names."""
    pictures, rows, names = [], [], []
    first = 0
    for part in parts:
        for name, (own, images) in part.drawn.items():
            pictures.append(images)
            rows += [first + row for row in own]
            names += [name] * len(own)
        first += len(part.records)
    return _joined(pictures), np.array(rows, dtype=np.intp), names


def _images(packed: PackedDataset, records: Sequence[Record], name: str) -> Pictures | None:
    if not records:
        return None
    images = packed.images(records, name)
    return images if images.shape[3] == 3 else np.stack([gray_to_rgb(i[:, :, 0]) for i in images])


def _joined(parts: Sequence[Pictures | None]) -> Pictures:
    present = [part for part in parts if part is not None]
    return np.concatenate(present) if present else np.empty((0, 0, 0, 3), dtype=np.uint8)


def _by_row(rows: NDArray[np.intp], wanted: Sequence[bool]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for item, (row, is_wanted) in enumerate(zip(rows.tolist(), wanted, strict=True)):
        if is_wanted:
            found.setdefault(row, []).append(item)
    return found


def _numbered(people: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(people, dtype=object).astype(str), return_inverse=True)[1]


def _data_sets(folder: Path) -> list[Path]:
    found = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if not found:
        raise DataFolderError(
            f"{folder} holds no data for an adapter. Make it with `forensic dataset adapter`."
        )
    return found
