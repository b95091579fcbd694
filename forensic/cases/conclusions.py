"""Where candidates stand after their reviews: agreement, differences, and adjudication."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.models import Adjudication, Candidate, Review, Verdict
from db.queries import reviews as review_rows
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.leads import all_candidates, own_reviews
from forensic.cases.permissions import Action
from forensic.cases.reviews import check_not_blind, record_view
from forensic.errors import RecordConflict, ReviewConflict


@dataclass(frozen=True)
class Disagreement:
    """A candidate on which examiners differ, with their decisions in the order of time."""

    candidate_id: uuid.UUID
    photo_sha256: str
    reviews: tuple[Review, ...]


class Standing(enum.StrEnum):
    """How firmly a candidate's conclusion stands."""

    NOT_REVIEWED = "not reviewed"
    ONE_EXAMINER = "decided by one examiner only"
    AGREED = "two examiners agree"
    DIFFERING = "examiners differ, not adjudicated"
    ADJUDICATED = "examiners differed, adjudicated"


@dataclass(frozen=True)
class Conclusion:
    """What has been decided about one candidate so far; a lead at most.

    Attributes:
        verdict: None where nobody has decided, or examiners differ.
        reviews: The present decisions, in the order of time.
    """

    candidate: Candidate
    standing: Standing
    verdict: Verdict | None
    reviews: tuple[Review, ...]
    adjudication: Adjudication | None


def list_all(session: Session, actor: Actor, search_id: uuid.UUID) -> Sequence[Conclusion]:
    """Return what everybody has decided, by rank; an examiner sees it after deciding on all.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such search, or it is in other people's case.
        ReviewConflict: The actor is an examiner who has not decided on every candidate.
    """
    search = access.get_search(session, actor, search_id, Action.VIEW_CASE)
    check_not_blind(session, actor, search_id)
    found = conclusions(session, search_id)
    record_view(session, actor, search_id, search.case_id, whose="all")
    return found


def disagreements(session: Session, actor: Actor, search_id: uuid.UUID) -> Sequence[Disagreement]:
    """Return the candidates on which examiners differ and nobody has adjudicated.

    In an order that tells nothing of the rank. Who has begun to review the list sees them only
    after deciding on every candidate; who has not may adjudicate.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such search, or it is in other people's case.
        ReviewConflict: The actor is in the midst of reviewing this list.
    """
    search = access.get_search(session, actor, search_id, Action.VIEW_CASE)
    if own_reviews(session, actor, search_id):
        check_not_blind(session, actor, search_id)
    rows = review_rows.list_disagreements(session, search_id)
    reviews = review_rows.list_reviews(session, search_id)
    found = [
        Disagreement(
            row.id,
            row.photo_sha256,
            tuple(sorted((r for r in reviews if r.candidate_id == row.id), key=lambda r: r.id)),
        )
        for row in sorted(rows, key=lambda row: row.photo_sha256)
    ]
    audit.record(
        session,
        actor,
        audit.Tag.DISAGREEMENTS_VIEWED,
        case_id=search.case_id,
        search_id=search_id,
        count=len(found),
    )
    return found


def adjudicate(
    session: Session,
    actor: Actor,
    candidate_id: uuid.UUID,
    *,
    verdict: Verdict,
    reason: str,
) -> Adjudication:
    """Decide between examiners who differ; a later decision supersedes an earlier one.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such candidate, or it is in other people's case.
        CaseClosed: The case is closed.
        ReviewConflict: The actor is one of the examiners, or they do not differ.
        RequestRefused: No reason is given.
    """
    reason = access.required_text(reason, "reason")
    candidate, search = access.get_candidate(
        session, actor, candidate_id, Action.ADJUDICATE, is_change=True
    )
    reviews = [
        review
        for review in review_rows.list_reviews(session, search.id)
        if review.candidate_id == candidate_id
    ]
    if len({review.verdict for review in reviews}) < 2:
        raise ReviewConflict("There is nothing to adjudicate: no two examiners differ.")
    try:
        with access.plain_errors():
            adjudication = review_rows.record_adjudication(
                session,
                candidate_id=candidate_id,
                adjudicator_id=access.user_id(actor),
                verdict=verdict,
                reason=reason,
            )
    except RecordConflict as error:
        raise ReviewConflict(str(error)) from error
    audit.record(
        session,
        actor,
        audit.Tag.ADJUDICATED,
        case_id=search.case_id,
        search_id=search.id,
        candidate_id=candidate.id,
        adjudication_id=adjudication.id,
        supersedes_id=adjudication.supersedes_id,
        verdict=verdict,
    )
    return adjudication


def conclusions(session: Session, search_id: uuid.UUID) -> list[Conclusion]:
    """Return where each candidate of a list stands, by rank; for the service's own use."""
    reviews: dict[uuid.UUID, list[Review]] = {}
    for review in review_rows.list_reviews(session, search_id):
        reviews.setdefault(review.candidate_id, []).append(review)
    return [
        _conclusion(
            row,
            tuple(reviews.get(row.id, ())),
            review_rows.find_adjudication(session, row.id),
        )
        for row in all_candidates(session, search_id)
    ]


def _conclusion(
    candidate: Candidate, reviews: tuple[Review, ...], adjudication: Adjudication | None
) -> Conclusion:
    verdicts = {review.verdict for review in reviews}
    if adjudication is not None:
        return Conclusion(
            candidate, Standing.ADJUDICATED, adjudication.verdict, reviews, adjudication
        )
    if not reviews:
        return Conclusion(candidate, Standing.NOT_REVIEWED, None, reviews, None)
    if len(verdicts) > 1:
        return Conclusion(candidate, Standing.DIFFERING, None, reviews, None)
    standing = Standing.ONE_EXAMINER if len(reviews) == 1 else Standing.AGREED
    return Conclusion(candidate, standing, verdicts.pop(), reviews, None)
