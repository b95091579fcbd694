"""Probes: the sketches of a case, their landmarks, and the faces synthesized from them."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonList, JsonObject, Sha256


class ProbeKind(enum.StrEnum):
    """How a sketch came to be, on which the accuracy to expect depends."""

    VIEWED = "viewed"
    """Drawn while looking at the person or a photo: benchmarks only."""
    FORENSIC = "forensic"
    """Drawn by an artist from a witness's memory."""
    COMPOSITE = "composite"
    """Put together with composite software."""
    FREEHAND = "freehand"
    """Drawn by someone untrained."""


class Probe(Base):
    """One sketch as it was received, sealed by the SHA-256 of its file.

    Never changes, but for `withdrawn_at`; expunging its case sets `expunged_at`, after which
    the file is gone and the seal remains. Probes of one person share a `person_label`.
    """

    __tablename__ = "probes"
    __table_args__ = (
        UniqueConstraint("case_id", "sketch_sha256"),
        CheckConstraint("width_px > 0 AND height_px > 0 AND size_bytes > 0", "sizes"),
    )

    id: Mapped[Id]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    sketch_sha256: Mapped[Sha256]
    media_type: Mapped[str]
    width_px: Mapped[int]
    height_px: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[ProbeKind]
    artist: Mapped[str | None]
    interviewed_on: Mapped[date | None]
    source: Mapped[str]
    person_label: Mapped[str] = mapped_column(default="person 1")
    note: Mapped[str] = mapped_column(default="")
    sealed_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
    withdrawn_at: Mapped[datetime | None]
    expunged_at: Mapped[datetime | None]


class LandmarkOrigin(enum.StrEnum):
    """Who placed landmarks."""

    DETECTOR = "detector"
    PERSON = "person"


class LandmarkVersion(Base):
    """Five points on one probe, as found or as corrected once; never changes.

    A correction is a new row with the next `number`. `points` are five [x, y] pairs in pixels of
    the sketch: eye at smaller x, other eye, nose, mouth corner at smaller x, other corner.
    """

    __tablename__ = "landmark_versions"
    __table_args__ = (
        UniqueConstraint("probe_id", "number"),
        CheckConstraint("number > 0", "number"),
        CheckConstraint("(origin = 'person') = (author_id IS NOT NULL)", "author"),
    )

    id: Mapped[Id]
    probe_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("probes.id"))
    number: Mapped[int]
    points: Mapped[JsonList]
    origin: Mapped[LandmarkOrigin]
    detector: Mapped[str | None]
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]


class Rendition(Base):
    """One face made by a generator from one probe: an enhancement, never evidence.

    Never changes. Everything needed to make the same image again is kept with it.
    """

    __tablename__ = "renditions"
    __table_args__ = (Index(None, "probe_id", "id"),)

    id: Mapped[Id]
    probe_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("probes.id"))
    landmark_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("landmark_versions.id"))
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("jobs.id"))
    generator: Mapped[str]
    weights_sha256: Mapped[Sha256]
    seed: Mapped[int] = mapped_column(BigInteger)
    parameters: Mapped[JsonObject]
    output_sha256: Mapped[Sha256]
    device: Mapped[str]
    software_version: Mapped[str]
    duration_ms: Mapped[float]
    made_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
