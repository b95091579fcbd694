"""The audit: what was done, by whom, when, each event sealed by the one before."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Sha256


class AuditEvent(Base):
    """One thing that happened; never changes and is never deleted.

    Triggers in the database refuse both. `payload` is the event as canonical JSON, and `hash` is
    the SHA-256 of `previous_hash` followed by it; the other columns repeat parts of the payload
    for queries, and are checked against it. No foreign keys: the audit outlives what it names.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "case_id", "sequence"),
        Index(None, "actor", "sequence"),
        Index(None, "tag", "sequence"),
        CheckConstraint("sequence > 0", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    tag: Mapped[str]
    case_id: Mapped[uuid.UUID | None]
    payload: Mapped[str]
    previous_hash: Mapped[Sha256] = mapped_column(unique=True)
    """Unique, so that no two events can follow the same one."""
    hash: Mapped[Sha256] = mapped_column(unique=True)
