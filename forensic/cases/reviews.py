"""Reviews: independent blind decisions of examiners on the candidates of a list."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.models import Review, Verdict
from db.queries import reviews as review_rows
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.leads import all_candidates, must_stay_blind, own_reviews
from forensic.cases.permissions import Action
from forensic.errors import RequestRefused, ReviewConflict

FEATURES = (
    "face_shape",
    "hairline",
    "forehead",
    "eyebrows",
    "eyes",
    "cheeks",
    "nose",
    "ears",
    "mouth",
    "chin_and_jaw",
    "neck",
    "facial_hair",
    "facial_lines",
    "scars_and_marks",
)
"""What an examiner compares, from the top of the face downwards."""

ANSWERS = ("similar", "different", "not_comparable")
"""What may be said of one feature."""


@dataclass(frozen=True)
class Progress:
    """How far one examiner has come with a list."""

    decided: int
    total: int

    @property
    def is_done(self) -> bool:
        """Whether every candidate has a decision."""
        return self.decided == self.total


def decide(
    session: Session,
    actor: Actor,
    candidate_id: uuid.UUID,
    *,
    verdict: Verdict,
    note: str = "",
    features: Mapping[str, str] | None = None,
) -> Review:
    """Record an examiner's decision on a candidate; it supersedes their earlier one.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such candidate, or it is in other people's case.
        CaseClosed: The case is closed.
        RequestRefused: A potential candidate without a note, or an unknown feature or answer.
        ReviewConflict: The actor has adjudicated this candidate.
    """
    candidate, search = access.get_candidate(
        session, actor, candidate_id, Action.REVIEW, is_change=True
    )
    told = access.optional_text(note, "note")
    if verdict is Verdict.POTENTIAL_CANDIDATE and not told:
        raise RequestRefused("A potential candidate needs a note that says why.", field="note")
    checked = _check_features(features or {})
    examiner_id = access.user_id(actor)
    adjudication = review_rows.find_adjudication(session, candidate_id)
    if adjudication is not None and adjudication.adjudicator_id == examiner_id:
        raise ReviewConflict("Who has adjudicated a candidate cannot review it.")
    was_blind = must_stay_blind(
        actor, all_candidates(session, search.id), own_reviews(session, actor, search.id)
    )
    with access.plain_errors():
        review = review_rows.record_review(
            session,
            candidate_id=candidate_id,
            examiner_id=examiner_id,
            verdict=verdict,
            note=told,
            features=checked,
        )
    is_first = review.supersedes_id is None
    audit.record(
        session,
        actor,
        audit.Tag.REVIEW_DECIDED if is_first else audit.Tag.REVIEW_SUPERSEDED,
        case_id=search.case_id,
        search_id=search.id,
        candidate_id=candidate.id,
        review_id=review.id,
        supersedes_id=review.supersedes_id,
        verdict=verdict,
        was_blind=was_blind,
    )
    return review


def list_own(
    session: Session, actor: Actor, search_id: uuid.UUID, *, with_superseded: bool = False
) -> Sequence[Review]:
    """Return the actor's own decisions on a list, in an order that tells nothing of the rank.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such search, or it is in other people's case.
    """
    search = access.get_search(session, actor, search_id, Action.REVIEW)
    reviews = review_rows.list_reviews(
        session,
        search_id,
        examiner_id=access.user_id(actor),
        with_superseded=with_superseded,
    )
    record_view(session, actor, search_id, search.case_id, whose="own")
    return sorted(reviews, key=lambda review: review.id)


def progress(session: Session, actor: Actor, search_id: uuid.UUID) -> Progress:
    """Return how many candidates of a list the actor has decided on.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such search, or it is in other people's case.
    """
    access.get_search(session, actor, search_id, Action.REVIEW)
    own = own_reviews(session, actor, search_id)
    return Progress(len(own), len(all_candidates(session, search_id)))


def check_not_blind(session: Session, actor: Actor, search_id: uuid.UUID) -> None:
    """Refuse an examiner who has not decided on every candidate of a list.

    Raises:
        ReviewConflict: There are candidates without the actor's decision.
    """
    rows, own = all_candidates(session, search_id), own_reviews(session, actor, search_id)
    if must_stay_blind(actor, rows, own):
        raise ReviewConflict(
            f"Decide on every candidate first: {len(own)} of {len(rows)} are decided. Ranks and "
            "other people's decisions are shown after that."
        )


def _check_features(features: Mapping[str, str]) -> dict[str, str]:
    for feature, answer in features.items():
        if feature not in FEATURES or answer not in ANSWERS:
            raise RequestRefused(
                f"{feature!r}: {answer!r} is not on the checklist. Features: "
                f"{', '.join(FEATURES)}. Answers: {', '.join(ANSWERS)}.",
                field="features",
            )
    return dict(features)


def record_view(
    session: Session, actor: Actor, search_id: uuid.UUID, case_id: uuid.UUID, *, whose: str
) -> None:
    """Record that somebody saw decisions: their `own`, or `all`; for the service's own use."""
    audit.record(
        session,
        actor,
        audit.Tag.REVIEWS_VIEWED,
        case_id=case_id,
        search_id=search_id,
        whose=whose,
    )
