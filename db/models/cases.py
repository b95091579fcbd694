"""Cases, the people assigned to them, and the reports written from them."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonObject, Sha256, Versioned


class CaseStatus(enum.StrEnum):
    """Whether work on a case may go on."""

    OPEN = "open"
    CLOSED = "closed"


class Case(Versioned, Base):
    """One investigation, and why it may search faces at all.

    May change; is never deleted. Expunging clears what its probes hold and sets `expunged_at`,
    which a legal hold forbids.
    """

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("NOT (legal_hold AND expunged_at IS NOT NULL)", "hold_forbids_expunging"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", "closed_at"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    offence: Mapped[str]
    legal_basis: Mapped[str]
    purpose: Mapped[str]
    status: Mapped[CaseStatus] = mapped_column(default=CaseStatus.OPEN)
    opened_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
    closed_at: Mapped[datetime | None]
    retain_until_on: Mapped[date | None] = mapped_column(index=True)
    legal_hold: Mapped[bool] = mapped_column(default=False)
    legal_hold_reason: Mapped[str | None]
    expunged_at: Mapped[datetime | None]


class CaseMember(Base):
    """One person assigned to one case; only they see it. Never changes, is added and deleted."""

    __tablename__ = "case_members"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    assigned_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]


class ReportFormat(enum.StrEnum):
    """What a report is written as."""

    HTML = "html"
    PDF = "pdf"
    JSON = "json"
    CSV = "csv"
    ZIP = "zip"


class Report(Base):
    """One document written from a case, as it was handed out; never changes."""

    __tablename__ = "reports"

    id: Mapped[Id]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    written_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    format: Mapped[ReportFormat]
    sha256: Mapped[Sha256]
    size_bytes: Mapped[int]
    contents: Mapped[JsonObject]
    """Which searches, reviews, figures and notice the document holds."""
    software_version: Mapped[str]
    created_at: Mapped[CreatedAt]
