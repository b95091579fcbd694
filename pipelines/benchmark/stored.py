"""A stored gallery index as part of the gallery of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensic.embedders.embedder import Embedder
from forensic.files import sha256_of_bytes
from forensic.gallery.index import GalleryIndex
from forensic.values import Vectors
from pipelines.benchmark.embedding import Embedded

SAME_PHOTO = 0.999
"""Least similarity that counts as one photo twice: other batches round vectors differently."""


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
    index = GalleryIndex.load(
        folder, expect_embedder=embedder.name, expect_weights_sha256=embedder.weights_sha256
    )
    vectors = np.ascontiguousarray(index.vectors)
    names = [f"index:{folder.name}/{photo_id}" for photo_id in index.photo_ids]
    digest = sha256_of_bytes(vectors.tobytes())
    return StoredGallery(vectors, names, list(index.subject_ids), digest)


def without_mates(stored: StoredGallery, photos: Embedded) -> tuple[StoredGallery, Sequence[str]]:
    """Leave out rows that are a mate's photo, which would count as a wrong answer.

    Args:
        stored: The gallery.
        photos: The mates.

    Returns:
        The rest, and the names of those left out.
    """
    nearest = np.full(len(stored.vectors), -1.0)
    for start in range(0, len(photos.vectors), 256):
        block = photos.vectors[start : start + 256] @ stored.vectors.T
        nearest = np.maximum(nearest, block.max(axis=0))
    keep = nearest < SAME_PHOTO
    kept = StoredGallery(
        stored.vectors[keep],
        [name for name, is_in in zip(stored.names, keep, strict=True) if is_in],
        [name for name, is_in in zip(stored.subjects, keep, strict=True) if is_in],
        stored.sha256,
    )
    return kept, [name for name, is_in in zip(stored.names, keep, strict=True) if not is_in]
