"""Faces with everything that Cali-Sketch learns from: free-hand sketches, contours and edges.

Beside a packed data set lie, once `forensic dataset contours` has run,

    FOLDER/contours.npy     (N, H, W, 1) uint8, in the order of records.jsonl
    FOLDER/contours.json    which detector drew them, and the hash of the manifest it was shown

Several such folders beside each other make one training set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensic.check import check_shape
from forensic.datasets.packed import MANIFEST, PackedDataset
from forensic.datasets.pairs import check_records
from forensic.datasets.taught import DRAWING
from forensic.errors import DataFolderError
from forensic.files import atomic_write, read_json, sha256_of_file, write_json
from forensic.images.color import rgb_to_gray
from forensic.images.frame import Frame, create_frame
from forensic.images.tensors import images_to_tensor
from forensic.sketches.edges import NOMINAL_PX, canny
from forensic.sketches.registry import FREE_HAND, SKETCH_STYLES

Images = NDArray[np.uint8]

CONTOURS, DETECTOR = "contours.npy", "contours.json"
CANNY_SIGMA = 2.0
"""Deviation of Canny's blur for pictures of 256 pixels."""


def save_contours(folder: Path, contours: Images, *, detector: str, weights_sha256: str) -> None:
    """Write the contours of every face beside a packed data set.

    Args:
        folder: The packed data set.
        contours: (N, H, W, 1), one for each record in order.
        detector: The name of what drew them.
        weights_sha256: Hash of its weights, empty for an operator.

    Raises:
        DataFolderError: No finished data set, or another number of faces.
        ShapeError: The contours are not (N, H, W, 1).
        OSError: The folder cannot be written.
    """
    check_shape(contours, (None, None, None, 1), name="contours")
    packed = PackedDataset(folder, verify=False)
    if len(contours) != len(packed.records):
        raise DataFolderError(f"{len(contours)} contours for {len(packed.records)} faces.")
    with atomic_write(folder / CONTOURS) as file:
        np.save(file, contours)
    facts = {
        "detector": detector,
        "weights_sha256": weights_sha256,
        "manifest_sha256": sha256_of_file(folder / MANIFEST),
    }
    write_json(folder / DETECTOR, facts)


def read_contours(folder: Path) -> tuple[Images, str]:
    """Return the contours beside a packed data set and the name of what drew them.

    Raises:
        DataFolderError: There are none, or they belong to another data set.
    """
    if not (folder / DETECTOR).is_file():
        raise DataFolderError(
            f"{folder} has no contours. Draw them with `forensic dataset contours {folder}`."
        )
    facts = read_json(folder / DETECTOR)
    if facts["manifest_sha256"] != sha256_of_file(folder / MANIFEST):
        raise DataFolderError(
            f"The contours in {folder} were drawn from another data set. Remove {DETECTOR} and "
            f"draw them again with `forensic dataset contours {folder}`."
        )
    return np.load(folder / CONTOURS), str(facts["detector"])


class CalibrationFaces:
    """Faces of one split, in memory as bytes, each in several styles of sketch.

    Args:
        folder: A packed data set with contours, or a folder of such.
        split: `train`, `validation` or `test`.
        style: What any drawing is put through before the trained network sees it; people's
            drawings go through it here too.
        styles: What the faces are drawn in: names in `SKETCH_STYLES`, and `drawing` for people's
            drawings, for which the first style stands in where a face has none.
        crop_hw: Centre crop of the stored pictures.
        size_hw: Size after the crop.
        limit: Keep only so many faces.
        with_contours: False to measure without them: the contours are then empty.

    Raises:
        DataFolderError: A folder is no finished data set or lacks contours, geometries or
            detectors differ, the split is empty, or one photo lies on two sides of the split.
        HashMismatch: A file was changed since it was written.
        UnknownNameError: No such style.
        ShapeError: A picture is smaller than the crop.
    """

    def __init__(
        self,
        folder: Path,
        *,
        split: str,
        style: str = FREE_HAND[0],
        styles: Sequence[str] = FREE_HAND,
        crop_hw: Sequence[int] | None = None,
        size_hw: Sequence[int] | None = None,
        limit: int | None = None,
        with_contours: bool = True,
    ) -> None:
        self.with_contours = with_contours
        _ = SKETCH_STYLES[style], [SKETCH_STYLES[name] for name in styles if name != DRAWING]
        self.style, self.styles = style, tuple(styles)
        self.frame = create_frame(crop_hw=crop_hw, size_hw=size_hw)
        packed = [PackedDataset(path) for path in _data_sets(folder)]
        check_records([record for data in packed for record in data.records], folder=folder)
        parts = [_Part(data, split, self) for data in packed if split in data.manifest["splits"]]
        if not parts:
            raise DataFolderError(f"{folder} has no {split!r} faces.")
        self.records = [record for part in parts for record in part.records][:limit]
        self.geometry = _only({part.geometry for part in parts}, "geometries", folder)
        self.detector = _only({part.detector for part in parts}, "contour detectors", folder)
        self.photos = np.concatenate([part.photos for part in parts])[:limit]
        self.contours = np.concatenate([part.contours for part in parts])[:limit]
        self.sketches = np.concatenate([part.sketches for part in parts], axis=1)[:, :limit]
        self.edges = np.stack([detail(photo) for photo in self.photos])

    @property
    def facts(self) -> dict[str, Any]:
        """What the networks must know, and what drew their contours."""
        return {"in_channels": 1, "contours": self.detector}

    @property
    def metadata(self) -> dict[str, str]:
        """What is stored beside weights, so that they can be used without the recipe."""
        return {"style": self.style, "geometry": self.geometry, "frame": self.frame.to_json()}

    def __len__(self) -> int:
        return len(self.records)

    def batch(
        self, indices: NDArray[np.intp], *, flips: NDArray[np.bool_] | None = None
    ) -> dict[str, Tensor]:
        """Return `sketch`, `contour`, `detail` (B, 1, H, W) and `photo` (B, 3, H, W) in [0, 1].

        Sketches are black on white; contours and details are 1 on an edge. The style of each
        sketch is drawn from torch's generator for a training step; without `flips` it goes round
        with the index.

        Args:
            indices: (B,) positions in this set.
            flips: (B,) which faces to mirror.
        """
        chosen = indices % len(self.styles)
        if flips is not None:
            chosen = torch.randint(len(self.styles), (len(indices),)).numpy()
        arrays = {
            "sketch": self.sketches[chosen, indices],
            "contour": self.contours[indices],
            "detail": self.edges[indices],
            "photo": self.photos[indices],
        }
        if flips is not None:
            for images in arrays.values():
                images[flips] = images[flips, :, ::-1]
        return {name: images_to_tensor(images) for name, images in arrays.items()}


def detail(photo: Images) -> Images:
    """Return Canny's edges (H, W, 1) of a photo (H, W, 3), 255 on an edge.

    Raises:
        ShapeError: The photo is not (H, W, 3).
        DtypeError: The photo is not uint8.
    """
    edges = canny(rgb_to_gray(photo), sigma=CANNY_SIGMA * photo.shape[0] / NOMINAL_PX)
    return np.where(edges, 255, 0).astype(np.uint8)[:, :, None]


class _Part:
    """One data set of a training set."""

    def __init__(self, packed: PackedDataset, split: str, wanted: CalibrationFaces) -> None:
        self.geometry: str = packed.manifest["geometry"]
        rows = [i for i, record in enumerate(packed.records) if record.split == split]
        self.records = packed.in_split(split)
        stored = packed.images(self.records, "photo")
        contours, self.detector = np.zeros((len(packed.records), 1, 1, 1), np.uint8), "none"
        if wanted.with_contours:
            contours, self.detector = read_contours(packed.folder)
        self.photos = _framed(stored, wanted.frame)
        self.contours = contours[rows]
        if wanted.with_contours:
            self.contours = _framed(self.contours, wanted.frame)
        drawn: list[Images] = []
        for name in wanted.styles:
            if name == DRAWING:
                drawn.append(self._drawings(packed, drawn[0] if drawn else None, wanted))
            else:
                drawn.append(_framed(self._sketches(packed, stored, name), wanted.frame))
        self.sketches = np.stack(drawn)  # (styles, N, H, W, 1)

    def _sketches(self, packed: PackedDataset, photos: Images, style: str) -> Images:
        if style in packed.manifest["styles"]:
            return packed.images(self.records, style)
        return np.stack([SKETCH_STYLES[style](photo) for photo in photos])

    def _drawings(
        self, packed: PackedDataset, instead: Images | None, wanted: CalibrationFaces
    ) -> Images:
        """Return people's drawings put through the style, or `instead` where there is none."""
        has = [i for i, record in enumerate(self.records) if DRAWING in record.images]
        if instead is None and len(has) < len(self.records):
            raise DataFolderError(
                f"{packed.folder} has faces without a drawing; name a style before {DRAWING!r}."
            )
        out = np.empty((*self.photos.shape[:3], 1), np.uint8) if instead is None else instead.copy()
        if has:
            operator = SKETCH_STYLES[wanted.style]
            drawings = packed.images([self.records[i] for i in has], DRAWING)
            restyled = [operator(np.broadcast_to(d, (*d.shape[:2], 3))) for d in drawings]
            out[has] = _framed(np.stack(restyled), wanted.frame)
        return out


def _data_sets(folder: Path) -> list[Path]:
    """Return the folder itself, or the data sets in it.

    Raises:
        DataFolderError: There is no data set.
    """
    if (folder / MANIFEST).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if not found:
        raise DataFolderError(
            f"{folder} is not a finished data set and holds none: {MANIFEST} is missing. "
            "Make one with `forensic dataset build`."
        )
    return found


def _framed(images: Images, frame: Frame) -> Images:
    if frame == Frame():
        return images
    return np.stack([frame.apply(image) for image in images])


def _only(names: set[str], what: str, folder: Path) -> str:
    if len(names) > 1:
        raise DataFolderError(f"{folder} mixes {what}: {', '.join(sorted(names))}.")
    return names.pop()
