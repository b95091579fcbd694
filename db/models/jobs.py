"""Background work as people see it: jobs and their items. The queue itself is elsewhere."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonObject, Serial, Sha256


class JobState(enum.StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Base):
    """One piece of background work.

    Changes until it has ended, then never. A running job is held by one worker until
    `lease_until_at`; a worker that dies lets the lease run out, and the job is taken up again
    until `attempts` reaches its limit.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "state", "id"),
        CheckConstraint("total >= 0 AND done >= 0 AND attempts >= 0", "counts"),
        CheckConstraint(
            "(state IN ('succeeded', 'failed', 'cancelled')) = (ended_at IS NOT NULL)", "ended_at"
        ),
        CheckConstraint("(state = 'running') = (worker IS NOT NULL)", "worker"),
        CheckConstraint("state <> 'failed' OR reason_code IS NOT NULL", "reason"),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED)
    parameters: Mapped[JsonObject]
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    gallery_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("galleries.id"), index=True)
    requested_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    counts: Mapped[JsonObject]
    """Item state to the number of items that ended so."""
    progress: Mapped[JsonObject]
    """What its worker last told of the way: phase, items per second, seconds to go."""
    reason_code: Mapped[str | None]
    detail: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    lease_until_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ItemState(enum.StrEnum):
    """How an item of a job ended; pending is the only state that an item may leave."""

    PENDING = "pending"
    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class JobItem(Base):
    """One file of an import; changes once, from pending to how it ended."""

    __tablename__ = "job_items"
    __table_args__ = (
        UniqueConstraint("job_id", "position"),
        Index(None, "job_id", "state", "position"),
        CheckConstraint("(state = 'rejected') = (reason_code IS NOT NULL)", "reason"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Serial]
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id"))
    position: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    """Path relative to the import's root."""
    subject_external_id: Mapped[str]
    subject_metadata: Mapped[JsonObject]
    state: Mapped[ItemState] = mapped_column(default=ItemState.PENDING)
    reason_code: Mapped[str | None]
    detail: Mapped[str | None]
    sha256: Mapped[Sha256 | None]
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photos.id"))
    ended_at: Mapped[datetime | None]
