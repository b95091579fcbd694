"""A stored gallery index as part of the gallery of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensic.embedders.embedder import Embedder
from forensic.errors import DataFolderError
from forensic.files import sha256_of_bytes
from forensic.gallery.index import GalleryIndex
from forensic.values import Vectors
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.folders import Pair

SAME_PHOTO = 0.995
"""Least similarity that counts as one photo twice.

It is not 1 because `forensic index` decodes large photos smaller, and works in other batches,
in which networks of low precision round differently.
"""


@dataclass(frozen=True)
class StoredGallery:
    """Vectors of other people, made earlier by `forensic index`.

    Attributes:
        vectors: (N, D) unit rows.
        names: N names of the photos, as reports call them.
        subjects: N identifiers of people.
        sha256: Hash of the vectors.
    """

    vectors: Vectors
    names: list[str]
    subjects: list[str]
    sha256: str


def load_stored(folder: Path, embedder: Embedder) -> StoredGallery:
    """Read an index made by this very embedder.

    Raises:
        DataFolderError: There is no index.
        CorruptIndex: It differs from what its manifest records.
        IndexMismatch: Another embedder made it.
    """
    index = _load(folder, embedder)
    vectors = np.ascontiguousarray(index.vectors)
    names = [f"index:{folder.name}/{photo_id}" for photo_id in index.photo_ids]
    digest = sha256_of_bytes(vectors.tobytes())
    return StoredGallery(vectors, names, list(index.subject_ids), digest)


def look_up(folder: Path, embedder: Embedder, names: Sequence[str]) -> tuple[Embedded, str]:
    """Return the vectors of named photos from an index made by this very embedder.

    Args:
        folder: The index.
        embedder: Its maker.
        names: Path of each photo inside its folder, without suffix.

    Returns:
        One row per name, not enrolled where the index lacks it; and the hash of all its vectors.

    Raises:
        DataFolderError: There is no index, or it holds none of the photos.
        CorruptIndex: It differs from what its manifest records.
        IndexMismatch: Another embedder made it.
    """
    index = _load(folder, embedder)
    stored = np.ascontiguousarray(index.vectors)
    row_of = {photo.rpartition(".")[0] or photo: row for row, photo in enumerate(index.photo_ids)}
    rows = np.array([row_of.get(name, -1) for name in names], dtype=np.intp)
    if (rows < 0).all():
        raise DataFolderError(
            f"{folder} holds none of the {len(names)} photos, such as {names[0]}. Make the index "
            "from the same folder with `forensic index`."
        )
    vectors = np.where(rows[:, None] >= 0, stored[rows], np.float32(0))
    return Embedded(vectors, rows >= 0), sha256_of_bytes(stored.tobytes())


def without_mates(
    stored: StoredGallery, photos: Embedded, pairs: Sequence[Pair]
) -> tuple[StoredGallery, list[str]]:
    """Leave out rows that show a probe's person, by name or by vector.

    They would count as wrong answers.

    Args:
        stored: The gallery.
        photos: Vectors of the mates.
        pairs: Names of the mates, of their sketches, and of who they show.

    Returns:
        The rest, and the names of those left out.
    """
    nearest = np.full(len(stored.vectors), -1.0)
    for start in range(0, len(photos.vectors), 256):
        block = photos.vectors[start : start + 256] @ stored.vectors.T
        nearest = np.maximum(nearest, block.max(axis=0))
    stems = {image.stem for pair in pairs for image in (pair.sketch, pair.photo)}
    stems |= {pair.person for pair in pairs if pair.person}
    named = [subject.rpartition("/")[2] in stems for subject in stored.subjects]
    gone = (nearest >= SAME_PHOTO) | np.array(named, dtype=bool)
    kept = StoredGallery(
        stored.vectors[~gone],
        [name for name, is_gone in zip(stored.names, gone, strict=True) if not is_gone],
        [name for name, is_gone in zip(stored.subjects, gone, strict=True) if not is_gone],
        stored.sha256,
    )
    return kept, [name for name, is_gone in zip(stored.names, gone, strict=True) if is_gone]


def _load(folder: Path, embedder: Embedder) -> GalleryIndex:
    return GalleryIndex.load(
        folder, expect_embedder=embedder.name, expect_weights_sha256=embedder.weights_sha256
    )
