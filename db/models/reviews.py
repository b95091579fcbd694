"""What examiners decided about candidates."""

from __future__ import annotations

import enum
import uuid

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonObject


class Verdict(enum.StrEnum):
    """The three conclusions of INTERPOL's vocabulary; none of them is an identification."""

    POTENTIAL_CANDIDATE = "potential_candidate"
    NO_CANDIDATE = "no_candidate"
    INCONCLUSIVE = "inconclusive"


class Review(Base):
    """One examiner's decision on one candidate.

    Never changes and is never deleted: triggers in the database refuse both. A change of mind
    is a new row that names the one it supersedes; each row is superseded at most once.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        Index(
            "uq_reviews_first",
            "candidate_id",
            "examiner_id",
            unique=True,
            sqlite_where=text("supersedes_id IS NULL"),
            postgresql_where=text("supersedes_id IS NULL"),
        ),
        Index(None, "candidate_id", "id"),
    )

    id: Mapped[Id]
    candidate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("candidates.id"))
    examiner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    verdict: Mapped[Verdict]
    note: Mapped[str]
    features: Mapped[JsonObject]
    """The feature checklist: feature name to what the examiner saw."""
    supersedes_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("reviews.id"), unique=True)
    created_at: Mapped[CreatedAt]


class Adjudication(Base):
    """A third person's decision where two examiners differ, or a second look at it.

    Never changes and is never deleted: triggers in the database refuse both. A later decision
    supersedes an earlier one.
    """

    __tablename__ = "adjudications"
    __table_args__ = (
        Index(
            "uq_adjudications_first",
            "candidate_id",
            unique=True,
            sqlite_where=text("supersedes_id IS NULL"),
            postgresql_where=text("supersedes_id IS NULL"),
        ),
    )

    id: Mapped[Id]
    candidate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("candidates.id"), index=True)
    adjudicator_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    verdict: Mapped[Verdict]
    reason: Mapped[str]
    supersedes_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("adjudications.id"), unique=True
    )
    created_at: Mapped[CreatedAt]
