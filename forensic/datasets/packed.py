"""A folder of aligned faces packed into few files, with hashes of what went in.

    FOLDER/
      manifest.json     geometry, styles, sources, splits, SHA-256 of every other file
      records.jsonl     one line a face: key, person, split, SHA-256 of the source, where it lies
      shard-0000.bin    WebP images one after the other, at most 16 MiB a file

The manifest is written last, so a folder without one is an unfinished build.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from forensic.errors import DataFolderError, HashMismatch
from forensic.files import read_json, sha256_of_file, write_json
from forensic.images.color import gray_to_rgb
from forensic.images.io import decode_image, encode_image
from forensic.values import RGB

SHARD_BYTES = 15 * 2**20
MANIFEST, RECORDS = "manifest.json", "records.jsonl"
FORMAT = 1
LOSSLESS = 100
"""The WebP quality that keeps every pixel."""


@dataclass(frozen=True)
class Record:
    """One face of a packed data set.

    Attributes:
        key: Unique name, e.g. `lfw/Some_Name/Some_Name_0001`.
        subject: The person; split by it.
        split: `train`, `validation` or `test`.
        source_sha256: Hash of the file that the face was cut from.
        images: For `photo` and each stored style: shard number, offset, bytes, channels.
    """

    key: str
    subject: str
    split: str
    source_sha256: str
    images: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)


class PackedWriter:
    """Writes a packed data set; a context manager that seals the folder when it ends well.

    Args:
        folder: Made if need be; must not hold a finished data set.
        geometry: Name of the face geometry of every image.
        quality: WebP quality, 100 for lossless. A sketch style drawn from lossy photos hands a
            network the traces of compression, which no sketch of a witness has.

    Raises:
        DataFolderError: The folder already holds a finished data set.
    """

    def __init__(self, folder: Path, *, geometry: str, quality: int = LOSSLESS) -> None:
        if (folder / MANIFEST).exists():
            raise DataFolderError(f"{folder} already holds a data set. Choose another --out.")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.geometry, self.quality = folder, geometry, quality
        self.facts: dict[str, Any] = {}
        self._shard: IO[bytes] | None = None
        self._n_shards, self._splits, self._styles = 0, dict[str, int](), set[str]()
        self._records = open(folder / RECORDS, "w", encoding="utf-8")  # noqa: SIM115

    def add(self, record: Record, images: dict[str, NDArray[np.uint8]]) -> None:
        """Append one face: its `photo` and any stored sketches, each (H, W, 1 or 3) uint8."""
        places = {name: self._append(image) for name, image in images.items()}
        line = {**asdict(record), "images": places}
        self._records.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._splits[record.split] = self._splits.get(record.split, 0) + 1
        self._styles |= set(images) - {"photo"}

    def _append(self, image: NDArray[np.uint8]) -> tuple[int, int, int, int]:
        if self._shard is None or self._shard.tell() > SHARD_BYTES:
            self._close_shard()
            self._shard = open(self.folder / f"shard-{self._n_shards:04d}.bin", "wb")  # noqa: SIM115
            self._n_shards += 1
        channels = image.shape[2]
        rgb = image if channels == 3 else gray_to_rgb(image[:, :, 0])
        data = encode_image(rgb, format="WEBP", quality=self.quality)
        offset = self._shard.tell()
        self._shard.write(data)
        return self._n_shards - 1, offset, len(data), channels

    def _close_shard(self) -> None:
        if self._shard is not None:
            self._shard.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close_shard()
        self._records.close()
        if error is not None:
            return
        files = [RECORDS, *(f"shard-{i:04d}.bin" for i in range(self._n_shards))]
        manifest = {
            "format": FORMAT,
            "geometry": self.geometry,
            "quality": self.quality,
            "styles": sorted(self._styles),
            "splits": self._splits,
            "files": {name: sha256_of_file(self.folder / name) for name in files},
            **self.facts,
        }
        write_json(self.folder / MANIFEST, manifest)


class PackedDataset:
    """Read access to a packed data set.

    Args:
        folder: A folder written by `PackedWriter`.
        verify: Compare every file with the hash in the manifest first.

    Raises:
        DataFolderError: No manifest (an unfinished build), a damaged one, one of another format,
            or a file that it lists is missing.
        HashMismatch: A file was changed since it was written.
    """

    def __init__(self, folder: Path, *, verify: bool = True) -> None:
        if not (folder / MANIFEST).is_file():
            raise DataFolderError(
                f"{folder} is not a finished data set: {MANIFEST} is missing. "
                "Make one with `forensic dataset build`."
            )
        self.folder = folder
        self.manifest = _read_manifest(folder / MANIFEST)
        if self.manifest.get("format") != FORMAT:
            raise DataFolderError(
                f"{folder} has format {self.manifest.get('format')}, expected {FORMAT}. Rebuild it."
            )
        if verify:
            self._verify()
        with open(folder / RECORDS, encoding="utf-8") as lines:
            self.records = [_record(json.loads(line)) for line in lines]

    def _verify(self) -> None:
        for name, expected in self.manifest["files"].items():
            if not (self.folder / name).is_file():
                raise DataFolderError(f"{self.folder / name} is missing. Rebuild the data set.")
            actual = sha256_of_file(self.folder / name)
            if actual != expected:
                raise HashMismatch(
                    f"{self.folder / name} differs from its manifest. Rebuild the data set.",
                    expected_sha256=expected,
                    actual_sha256=actual,
                )

    def in_split(self, split: str) -> list[Record]:
        """Return the records of one split, in the order they were written.

        Raises:
            DataFolderError: The split is empty.
        """
        found = [record for record in self.records if record.split == split]
        if not found:
            raise DataFolderError(
                f"{self.folder} has no {split!r} faces; it has {self.manifest['splits']}."
            )
        return found

    def images(self, records: Sequence[Record], name: str) -> NDArray[np.uint8]:
        """Return one kind of image of many records as (N, H, W, C) uint8.

        Raises:
            DataFolderError: That style was not stored.
        """
        shards: dict[int, bytes] = {}
        out: NDArray[np.uint8] | None = None
        for row, record in enumerate(records):
            if name not in record.images:
                raise DataFolderError(f"{self.folder} stores no {name!r} images.")
            shard, offset, length, channels = record.images[name]
            if shard not in shards:
                shards = {shard: (self.folder / f"shard-{shard:04d}.bin").read_bytes()}
            image = decode_image(shards[shard][offset : offset + length], name=record.key)
            if out is None:
                out = np.empty((len(records), *image.shape[:2], channels), dtype=np.uint8)
            out[row] = image[:, :, :channels]
        if out is None:
            raise DataFolderError(f"No records were asked for from {self.folder}.")
        return out


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = read_json(path)
    except ValueError as error:
        raise DataFolderError(f"{path} is damaged ({error}). Rebuild the data set.") from error
    return manifest


def _record(line: dict[str, Any]) -> Record:
    return Record(**line | {"images": {k: tuple(place) for k, place in line["images"].items()}})


def contact_sheet(images: Sequence[Sequence[NDArray[np.uint8]]]) -> RGB:
    """Return rows of equally large images (1 or 3 channels) as one picture, for the eye.

    Raises:
        ValueError: The images differ in height or rows in width.
    """
    rows = [
        np.hstack([i if i.shape[2] == 3 else gray_to_rgb(i[:, :, 0]) for i in row])
        for row in images
    ]
    return np.vstack(rows)
