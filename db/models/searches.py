"""Searches, what went into them, and the candidates that came out."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonObject, Sha256

LIST_LENGTH_MAX = 2048


class Search(Base):
    """One search of a gallery, asked for and then completed.

    The request never changes. The columns of the outcome are empty until the search has run,
    are filled once together with `completed_at`, and never change after that.
    """

    __tablename__ = "searches"
    __table_args__ = (
        Index(None, "case_id", "id"),
        CheckConstraint(f"list_length BETWEEN 1 AND {LIST_LENGTH_MAX}", "list_length"),
        CheckConstraint(
            "completed_at IS NULL OR (gallery_size IS NOT NULL AND model_hashes IS NOT NULL "
            "AND device IS NOT NULL AND timings_ms IS NOT NULL AND is_exact IS NOT NULL)",
            "outcome_is_whole",
        ),
        CheckConstraint(
            "is_exact IS NULL OR is_exact OR measured_recall IS NOT NULL", "recall_if_approximate"
        ),
    )

    id: Mapped[Id]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    gallery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("galleries.id"))
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("jobs.id"))
    requested_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str]
    list_length: Mapped[int]
    threshold: Mapped[float | None]
    """Least cosine similarity listed; None lists the best ones whatever their similarity."""
    parameters: Mapped[JsonObject]
    """Generators, matchers, fusion, metadata filters: all that the request said."""
    request_id: Mapped[str | None]
    created_at: Mapped[CreatedAt]

    index_generation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("index_generations.id")
    )
    gallery_size: Mapped[int | None] = mapped_column(BigInteger)
    """Photos searched, at that moment."""
    extent: Mapped[JsonObject | None]
    """Photos and subjects that the filter let through, and the generation's number and state."""
    model_hashes: Mapped[JsonObject | None]
    """Role to the SHA-256 of the weights used."""
    device: Mapped[str | None]
    is_exact: Mapped[bool | None]
    measured_recall: Mapped[float | None]
    timings_ms: Mapped[JsonObject | None]
    software_version: Mapped[str | None]
    completed_at: Mapped[datetime | None]


class SearchInput(Base):
    """One sketch or rendition that a search compared with the gallery; never changes."""

    __tablename__ = "search_inputs"

    search_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("searches.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    probe_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("probes.id"), index=True)
    landmark_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("landmark_versions.id"))
    rendition_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("renditions.id"))
    """None where the sketch itself was compared."""


class Candidate(Base):
    """One entry of a ranked list: a lead, never an identification. Never changes.

    Its id is wholly random: one that sorts by time would tell an examiner the rank.
    """

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("search_id", "rank"),
        UniqueConstraint("search_id", "subject_id"),
        CheckConstraint("rank > 0", "rank"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    search_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("searches.id"))
    rank: Mapped[int]
    subject_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id"), index=True)
    photo_sha256: Mapped[Sha256]
    similarity: Mapped[float]
    """Fused cosine similarity; higher is nearer; no probability."""
    contributions: Mapped[JsonObject | None]
    """What each part of a fitted fusion adds to the score, in log10 odds of a pair; else None."""
