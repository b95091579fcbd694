"""Decisions of examiners, who differs from whom, and adjudications."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from db.errors import Conflict
from db.models.reviews import Adjudication, Review, Verdict
from db.models.searches import Candidate
from db.queries.rows import get_row


def record_review(
    session: Session,
    *,
    candidate_id: uuid.UUID,
    examiner_id: uuid.UUID,
    verdict: Verdict,
    note: str,
    features: Mapping[str, Any] | None = None,
) -> Review:
    """Add an examiner's decision on a candidate; it supersedes that examiner's earlier one.

    Raises:
        NotFound: There is no such candidate.
        Conflict: The same examiner decides twice at once; seen when flushed.
    """
    get_row(session, Candidate, candidate_id)
    earlier = session.scalars(
        _current().where(Review.candidate_id == candidate_id, Review.examiner_id == examiner_id)
    ).one_or_none()
    review = Review(
        candidate_id=candidate_id,
        examiner_id=examiner_id,
        verdict=verdict,
        note=note,
        features=dict(features or {}),
        supersedes_id=earlier.id if earlier else None,
    )
    session.add(review)
    session.flush()
    return review


def list_reviews(
    session: Session,
    search_id: uuid.UUID,
    *,
    examiner_id: uuid.UUID | None = None,
    with_superseded: bool = False,
) -> Sequence[Review]:
    """Return the reviews of a search's candidates, by rank, then by time.

    With `examiner_id` only that examiner's, which is what a blind second examiner may see.
    """
    statement = select(Review) if with_superseded else _current()
    statement = statement.join(Candidate, Candidate.id == Review.candidate_id).where(
        Candidate.search_id == search_id
    )
    if examiner_id is not None:
        statement = statement.where(Review.examiner_id == examiner_id)
    return session.scalars(statement.order_by(Candidate.rank, Review.id)).all()


def list_undecided(
    session: Session, search_id: uuid.UUID, examiner_id: uuid.UUID
) -> Sequence[Candidate]:
    """Return the candidates on which an examiner has not decided yet.

    Each one needs a decision. They come in the order of their photos' hashes, which is the same
    each time and tells nothing of the rank.
    """
    decided = select(Review.candidate_id).where(Review.examiner_id == examiner_id)
    statement = select(Candidate).where(
        Candidate.search_id == search_id, Candidate.id.not_in(decided)
    )
    return session.scalars(statement.order_by(Candidate.photo_sha256)).all()


def list_disagreements(session: Session, search_id: uuid.UUID) -> Sequence[Candidate]:
    """Return the candidates on which examiners differ and nobody has adjudicated, by rank."""
    current = _current().subquery()
    differing = (
        select(current.c.candidate_id)
        .group_by(current.c.candidate_id)
        .having(func.count(current.c.verdict.distinct()) > 1)
    )
    adjudicated = select(Adjudication.candidate_id)
    statement = select(Candidate).where(
        Candidate.search_id == search_id,
        Candidate.id.in_(differing),
        Candidate.id.not_in(adjudicated),
    )
    return session.scalars(statement.order_by(Candidate.rank)).all()


def record_adjudication(
    session: Session,
    *,
    candidate_id: uuid.UUID,
    adjudicator_id: uuid.UUID,
    verdict: Verdict,
    reason: str,
) -> Adjudication:
    """Add the decision between examiners who differ; it supersedes an earlier adjudication.

    Raises:
        NotFound: There is no such candidate.
        Conflict: The adjudicator is one of the examiners, or fewer than two have decided.
    """
    get_row(session, Candidate, candidate_id)
    reviews = session.scalars(_current().where(Review.candidate_id == candidate_id)).all()
    if len(reviews) < 2:
        raise Conflict("There is nothing to adjudicate until two examiners have decided.")
    if any(review.examiner_id == adjudicator_id for review in reviews):
        raise Conflict("Who reviewed a candidate cannot adjudicate it.")
    earlier = find_adjudication(session, candidate_id)
    adjudication = Adjudication(
        candidate_id=candidate_id,
        adjudicator_id=adjudicator_id,
        verdict=verdict,
        reason=reason,
        supersedes_id=earlier.id if earlier else None,
    )
    session.add(adjudication)
    session.flush()
    return adjudication


def find_adjudication(session: Session, candidate_id: uuid.UUID) -> Adjudication | None:
    """Return the adjudication of a candidate that now holds."""
    later = aliased(Adjudication)
    superseded = select(later.id).where(later.supersedes_id == Adjudication.id).exists()
    statement = select(Adjudication).where(Adjudication.candidate_id == candidate_id, ~superseded)
    return session.scalars(statement).one_or_none()


def _current() -> Select[Review]:
    later = aliased(Review)
    return select(Review).where(~select(later.id).where(later.supersedes_id == Review.id).exists())
