"""The answer to a search over the records, and all that must be told with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from forensic.values import Vectors


@dataclass(frozen=True)
class Hit:
    """One entry of a ranked list: a lead, never an identification.

    Attributes:
        rank: 1 is the most similar.
        photo_id: Number of the photo in the records.
        photo_sha256: Of the photo's file.
        subject_id: The person in the records.
        external_id: The operator's identifier of the person.
        similarity: Cosine in [-1, 1]; higher is nearer; no probability.
    """

    rank: int
    photo_id: int
    photo_sha256: str
    subject_id: uuid.UUID
    external_id: str
    similarity: float


@dataclass(frozen=True)
class Found:
    """The answer to a search, and what was searched.

    Attributes:
        lists: For each probe its hits, best first.
        vectors: For each probe (len(hits), D), the rows of the hits' photos.
        generation_id: The generation that was searched.
        generation_number: Its number in the gallery.
        is_current: Whether it holds all photos of the gallery; else some wait for publishing.
        gallery_size: How many photos a search without a filter could have returned.
        n_searched: How many of them the filter let through.
        n_subjects: How many persons those show.
        is_exact: Whether nothing can have been missed.
        measured_recall: Where not exact, the share of the true best photos that lists held when
            the index was built, measured with photos kept out of its training, without a filter.
        recall_at: Length of the lists in which that was measured.
        device: Where it was searched.
    """

    lists: tuple[tuple[Hit, ...], ...]
    vectors: tuple[Vectors, ...]
    generation_id: uuid.UUID
    generation_number: int
    is_current: bool
    gallery_size: int
    n_searched: int
    n_subjects: int
    is_exact: bool
    measured_recall: float | None
    recall_at: int | None
    device: str
