"""Packed faces together with the vectors that a teacher gives to their photos.

FOLDER/
  targets.npy       (N, D) float32 unit rows, in the order of records.jsonl
  targets.json      who the teacher was, its hash, and the hash of the manifest it was shown

Several such folders beside each other make one training set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensic.check import check_range, check_shape
from forensic.datasets.packed import MANIFEST, PackedDataset, Record
from forensic.errors import DataFolderError
from forensic.files import atomic_write, read_json, sha256_of_file, write_json
from forensic.images.color import gray_to_rgb
from forensic.images.tensors import images_to_tensor
from forensic.values import Vectors

TARGETS, TEACHER = "targets.npy", "targets.json"
DRAWING = "drawing"
"""Name under which a packed data set stores a drawing made by a person."""

PHOTO, TO_DRAW, DRAWN = 0, 1, 2
"""Kinds of a training face: a photo, a photo that is still to be drawn, a finished drawing."""


def save_targets(folder: Path, vectors: Vectors, teacher: dict[str, Any]) -> None:
    """Write a teacher's vectors beside a packed data set.

    Args:
        folder: The packed data set.
        vectors: (N, D) unit rows, one for each record in order.
        teacher: Its name and `weights_sha256`; more facts are kept too.

    Raises:
        DataFolderError: The folder is not a finished data set.
        ShapeError: There is not one row for each record.
        OSError: The folder cannot be written.
    """
    n_records = len(PackedDataset(folder, verify=False).records)
    check_shape(vectors, (n_records, None), name="targets")
    with atomic_write(folder / TARGETS) as file:
        np.save(file, np.asarray(vectors, dtype=np.float32))
    facts = {
        **teacher,
        "manifest_sha256": sha256_of_file(folder / MANIFEST),
        "targets_sha256": sha256_of_file(folder / TARGETS),
    }
    write_json(folder / TEACHER, facts)


def load_targets(folder: Path) -> tuple[Vectors, dict[str, Any]]:
    """Return the vectors beside a packed data set and what is known of the teacher.

    Raises:
        DataFolderError: There are none, or they belong to another state of the data set.
    """
    if not (folder / TEACHER).is_file() or not (folder / TARGETS).is_file():
        raise DataFolderError(
            f"{folder} has no teacher's vectors. Write them with `forensic dataset teach`."
        )
    facts: dict[str, Any] = read_json(folder / TEACHER)
    actual = sha256_of_file(folder / MANIFEST), sha256_of_file(folder / TARGETS)
    if actual != (facts["manifest_sha256"], facts["targets_sha256"]):
        raise DataFolderError(
            f"The teacher's vectors in {folder} belong to another state of the data set. "
            "Write them again with `forensic dataset teach`."
        )
    return np.load(folder / TARGETS, allow_pickle=False), facts


class TaughtFaces:
    """Photos and drawings of one split with the teacher's vectors, in memory as bytes.

    In training, drawings made by people are few beside the photos, so each is counted as often
    as brings all of them to `drawing_share` of the set. Each photo is left a photo, shown in one
    of the styles that the data set stores, or marked as still to be drawn, by chance of torch's
    generator. In validation every photo appears once as it is and once to be drawn, and every
    drawing once.

    Args:
        folder: A packed data set, or a folder of such, that `forensic dataset teach` has seen.
        split: `train` or `validation`.
        drawing_share: Share of people's drawings in training, 0 to 0.9.
        photo_share: Share of the photos that stay photos in training.
        n_others: How many vectors of other faces go with each training batch.
        limit: Keep only the first so many records of each data set.

    Raises:
        DataFolderError: No data set, an empty split, no teacher, or two different teachers.
        HashMismatch: A file was changed since it was written.
        RangeError: A share or number is out of range.
    """

    def __init__(
        self,
        folder: Path,
        *,
        split: str,
        drawing_share: float = 0.25,
        photo_share: float = 0.6,
        n_others: int = 4096,
        limit: int | None = None,
    ) -> None:
        check_range(drawing_share, 0, 0.9, name="drawing_share")
        check_range(photo_share, 0, 1, name="photo_share")
        check_range(n_others, 1, 10**7, name="n_others")
        self._is_training = split == "train"
        self._photo_share, self._n_others = photo_share, n_others
        parts = [_load_part(path, split, limit) for path in _data_sets(folder)]
        if len({part.teacher for part in parts}) > 1:
            raise DataFolderError(
                f"The data sets in {folder} were taught by different networks. Teach them anew."
            )
        self.photos = np.concatenate([part.photos for part in parts])
        self.targets = torch.from_numpy(np.concatenate([part.targets for part in parts]))
        self._styles = _merge(parts)
        self._drawings = self._styles.pop(DRAWING, {})
        self._items = self._list_items(drawing_share)

    @property
    def facts(self) -> dict[str, Any]:
        """What a network for these samples must know: the length of the vectors."""
        return {"dimension": self.targets.shape[1]}

    @property
    def metadata(self) -> dict[str, str]:
        """What is stored beside weights: nothing beyond the recipe's name."""
        return {}

    def _list_items(self, drawing_share: float) -> list[tuple[int, int]]:
        """Return (row, kind) of everything that can be asked for by index."""
        rows = range(len(self.photos))
        if not self._is_training:
            kinds = [(row, kind) for kind in (PHOTO, TO_DRAW) for row in rows]
            return kinds + [(row, DRAWN) for row in self._drawings]
        wanted = drawing_share / (1 - drawing_share) * len(self.photos)
        repeats = max(1, round(wanted / len(self._drawings))) if self._drawings else 0
        return [(row, PHOTO) for row in rows] + [(row, DRAWN) for row in self._drawings] * repeats

    def __len__(self) -> int:
        return len(self._items)

    def batch(
        self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None
    ) -> dict[str, Tensor]:
        """Return faces, their kinds, and what the teacher says of their photos.

        Args:
            indices: (B,) positions in this set.
            flips: (B,) which faces to mirror; their targets, being of both mirror images, stay.

        Returns:
            `face` (B, 3, H, W) float32 in [0, 1]; `kind` (B,) PHOTO, TO_DRAW or DRAWN; `target`
            (B, D) and `others` (K, D), unit rows. In validation `others` is the whole split.
        """
        chosen = [self._face(*self._items[index]) for index in indices]
        faces = np.stack([face for face, _ in chosen])
        if flips is not None:
            faces[flips] = faces[flips, :, ::-1]
        rows = torch.tensor([self._items[index][0] for index in indices])
        return {
            "face": images_to_tensor(faces),
            "kind": torch.tensor([kind for _, kind in chosen]),
            "target": self.targets[rows],
            "others": self._others(),
        }

    def _face(self, row: int, kind: int) -> tuple[NDArray[np.uint8], int]:
        if kind == DRAWN:
            return _as_rgb(self._drawings[row]), DRAWN
        if not self._is_training or float(torch.rand(())) < self._photo_share:
            return self.photos[row], kind
        ways = [style[row] for style in self._styles.values() if row in style]
        way = int(torch.randint(len(ways) + 2, ()))  # drawing anew counts as two ways
        return (_as_rgb(ways[way]), DRAWN) if way < len(ways) else (self.photos[row], TO_DRAW)

    def _others(self) -> Tensor:
        if not self._is_training:
            return self.targets
        return self.targets[torch.randint(len(self.targets), (self._n_others,))]


class _Part:
    """One data set of several: photos, vectors, and other pictures by row."""

    def __init__(self, packed: PackedDataset, rows: list[int], targets: Vectors, teacher: str):
        records = [packed.records[row] for row in rows]
        self.photos = packed.images(records, "photo")
        self.targets, self.teacher = targets[rows], teacher
        self.styles = {name: dict(_pictures(packed, records, name)) for name in _names(records)}


def _load_part(folder: Path, split: str, limit: int | None) -> _Part:
    packed = PackedDataset(folder)
    targets, teacher = load_targets(folder)
    packed.in_split(split)
    rows = [row for row, record in enumerate(packed.records) if record.split == split]
    return _Part(packed, rows[:limit], targets, str(teacher["weights_sha256"]))


def _data_sets(folder: Path) -> list[Path]:
    if (folder / MANIFEST).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if not found:
        raise DataFolderError(
            f"{folder} holds no data set. Make one with `forensic dataset build`."
        )
    return found


def _names(records: list[Record]) -> list[str]:
    return sorted({name for record in records for name in record.images} - {"photo"})


def _pictures(
    packed: PackedDataset, records: list[Record], name: str
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    rows = [row for row, record in enumerate(records) if name in record.images]
    yield from zip(rows, packed.images([records[row] for row in rows], name), strict=True)


def _merge(parts: list[_Part]) -> dict[str, dict[int, NDArray[np.uint8]]]:
    """Return the other pictures of all parts by name, rows counted through."""
    merged: dict[str, dict[int, NDArray[np.uint8]]] = {}
    first = 0
    for part in parts:
        for name, pictures in part.styles.items():
            place = merged.setdefault(name, {})
            place.update({first + row: picture for row, picture in pictures.items()})
        first += len(part.photos)
    return merged


def _as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.shape[2] == 3 else gray_to_rgb(image[:, :, 0])
