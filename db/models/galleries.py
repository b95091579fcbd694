"""Galleries: subjects, photos, embeddings, and the indexes projected from them."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonList, JsonObject, Serial, Sha256, Versioned


class Gallery(Versioned, Base):
    """One collection of photos that may be searched together, bound to one embedder.

    Name, purpose and policy may change; embedder, weights and dimension never do. `revision`
    grows with each transaction that adds or removes photos.
    """

    __tablename__ = "galleries"
    __table_args__ = (CheckConstraint("dimension > 0 AND revision >= 0", "numbers"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[str] = mapped_column(default="")
    embedder: Mapped[str]
    weights_sha256: Mapped[Sha256]
    dimension: Mapped[int]
    policy: Mapped[JsonObject]
    """Thresholds of intake: least face size, sharpness, how several faces are treated."""
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[CreatedAt]


class Subject(Base):
    """One person of a gallery, under the operator's own identifier.

    The metadata may change. Expunging clears it and leaves this row as a tombstone, so that the
    next import of the same identifier is refused rather than bringing the person back.
    """

    __tablename__ = "subjects"
    __table_args__ = (
        UniqueConstraint("gallery_id", "external_id"),
        Index(None, "gallery_id", "id"),
        CheckConstraint(
            "expunged_at IS NULL OR (sex IS NULL AND birth_year IS NULL)", "expunged_is_empty"
        ),
    )

    id: Mapped[Id]
    gallery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("galleries.id"))
    external_id: Mapped[str]
    sex: Mapped[str | None]
    birth_year: Mapped[int | None]
    attributes: Mapped[JsonObject]
    """Free metadata as the operator gave it; nothing in it is inferred from a photo."""
    created_at: Mapped[CreatedAt]
    expunged_at: Mapped[datetime | None]


class PhotoState(enum.StrEnum):
    """Whether a photo may be returned by a search."""

    ACTIVE = "active"
    REMOVED = "removed"
    """Taken out by the operator; the same file may be imported again, as a new photo."""
    EXPUNGED = "expunged"
    """Taken out for good, with its subject; the same file is refused from then on."""


class Photo(Base):
    """One photo of one subject, known by the SHA-256 of its file.

    Content never changes. Removing or expunging sets `state` and `removed_revision`, deletes the
    embeddings and clears source, quality and landmarks; the row stays as a tombstone. Its `id` is
    the number that an index stores, and is never given to another photo.
    """

    __tablename__ = "photos"
    __table_args__ = (
        Index(
            "uq_photos_content",
            "gallery_id",
            "sha256",
            unique=True,
            sqlite_where=text("state <> 'removed'"),
            postgresql_where=text("state <> 'removed'"),
        ),
        Index(None, "gallery_id", "added_revision"),
        Index(None, "gallery_id", "removed_revision"),
        CheckConstraint("(state = 'active') = (removed_revision IS NULL)", "removed_revision"),
        {"sqlite_autoincrement": True},  # else SQLite gives the last deleted id out again
    )

    id: Mapped[Serial]
    gallery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("galleries.id"))
    subject_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subjects.id"), index=True)
    sha256: Mapped[Sha256]
    source: Mapped[str]
    """Where the file came from, relative to the import's root."""
    crop_sha256: Mapped[Sha256 | None]
    """The aligned face, where the gallery keeps crops."""
    width_px: Mapped[int]
    height_px: Mapped[int]
    quality: Mapped[JsonObject]
    landmarks: Mapped[JsonList]
    state: Mapped[PhotoState] = mapped_column(default=PhotoState.ACTIVE)
    added_revision: Mapped[int] = mapped_column(BigInteger)
    removed_revision: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[CreatedAt]


NOT_REMOVED = text("photos.state <> 'removed'")
"""Spelt out, not bound: only so can a database use the partial index on the content."""


class Embedding(Base):
    """The vector of one photo under one set of weights; never changes, is deleted with it.

    `vector` holds `dimension` float32 numbers, little-endian, of unit length.
    """

    __tablename__ = "embeddings"
    __table_args__ = (CheckConstraint("length(vector) = 4 * dimension", "vector_length"),)

    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id"), primary_key=True)
    weights_sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    embedder: Mapped[str]
    dimension: Mapped[int]
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]


class GenerationState(enum.StrEnum):
    """Where an index generation is in its life."""

    BUILDING = "building"
    ACTIVE = "active"
    RETIRED = "retired"
    FAILED = "failed"


class IndexGeneration(Base):
    """One index built from a gallery as it was at one revision; can always be built again.

    Only the state moves, from building to active to retired (or to failed), with the facts that
    become known on the way. A gallery has at most one active generation.
    """

    __tablename__ = "index_generations"
    __table_args__ = (
        UniqueConstraint("gallery_id", "number"),
        Index(
            "uq_index_generations_active",
            "gallery_id",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        CheckConstraint(
            "state <> 'active' OR (manifest_sha256 IS NOT NULL AND photo_count IS NOT NULL)",
            "active_is_whole",
        ),
    )

    id: Mapped[Id]
    gallery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("galleries.id"))
    number: Mapped[int]
    gallery_revision: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    parameters: Mapped[JsonObject]
    photo_count: Mapped[int | None] = mapped_column(BigInteger)
    manifest_sha256: Mapped[Sha256 | None]
    measured_recall: Mapped[float | None]
    state: Mapped[GenerationState] = mapped_column(default=GenerationState.BUILDING)
    created_at: Mapped[CreatedAt]
    activated_at: Mapped[datetime | None]
