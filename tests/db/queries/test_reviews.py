from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.errors import Conflict, NotFound
from db.models import Candidate, Review, User, Verdict
from db.queries import reviews
from db.session import session_scope
from tests.support.factories import make_candidates, make_user, unknown_id

YES, NO, UNSURE = Verdict.POTENTIAL_CANDIDATE, Verdict.NO_CANDIDATE, Verdict.INCONCLUSIVE


def decide(session: Session, candidate: Candidate, examiner: User, verdict: Verdict) -> Review:
    return reviews.record_review(
        session,
        candidate_id=candidate.id,
        examiner_id=examiner.id,
        verdict=verdict,
        note="the ears",
        features={"ears": "alike"},
    )


def test_a_change_of_mind_supersedes_and_keeps_the_first(engine: Engine) -> None:
    with session_scope(engine) as session:
        candidate, examiner = make_candidates(session, 1)[0], make_user(session)
        decisions = [decide(session, candidate, examiner, v) for v in (YES, UNSURE, NO)]
    with session_scope(engine) as session:
        kept = reviews.list_reviews(session, candidate.search_id, with_superseded=True)
        assert [review.verdict for review in kept] == [YES, UNSURE, NO]
        assert [review.supersedes_id for review in kept] == [
            None,
            decisions[0].id,
            decisions[1].id,
        ]
        current = reviews.list_reviews(session, candidate.search_id)
        assert [review.verdict for review in current] == [NO]


def test_a_blind_examiner_sees_own_decisions_only(engine: Engine) -> None:
    with session_scope(engine) as session:
        first, second = make_candidates(session, 2)
        ann, bob = make_user(session), make_user(session)
        decide(session, second, ann, YES)
        own = decide(session, first, bob, NO)
        assert reviews.list_reviews(session, first.search_id, examiner_id=bob.id) == [own]
        undecided = reviews.list_undecided(session, first.search_id, ann.id)
        assert undecided == [first]


def test_candidates_to_decide_do_not_come_in_order_of_rank(engine: Engine) -> None:
    with session_scope(engine) as session:
        candidates = make_candidates(session, 12)
        asked = reviews.list_undecided(session, candidates[0].search_id, make_user(session).id)
        assert [c.rank for c in asked] != list(range(1, 13))
        assert sorted(c.rank for c in asked) == list(range(1, 13))


def test_only_current_decisions_that_differ_are_disagreements(engine: Engine) -> None:
    with session_scope(engine) as session:
        agreed, differing, mended, single = make_candidates(session, 4)
        ann, bob = make_user(session), make_user(session)
        for candidate, first, second in (
            (agreed, YES, YES),
            (differing, YES, UNSURE),
            (mended, YES, NO),
        ):
            decide(session, candidate, ann, first)
            decide(session, candidate, bob, second)
        decide(session, mended, ann, NO)
        decide(session, single, ann, YES)
        assert reviews.list_disagreements(session, agreed.search_id) == [differing]
        reviews.record_adjudication(
            session,
            candidate_id=differing.id,
            adjudicator_id=make_user(session).id,
            verdict=NO,
            reason="scar",
        )
        assert reviews.list_disagreements(session, agreed.search_id) == []


def test_adjudications_are_superseded_too(engine: Engine) -> None:
    with session_scope(engine) as session:
        candidate = make_candidates(session, 1)[0]
        assert reviews.find_adjudication(session, candidate.id) is None
        for verdict in (YES, NO):
            decide(session, candidate, make_user(session), verdict)
        judge = make_user(session)
        for verdict in (NO, UNSURE):
            latest = reviews.record_adjudication(
                session,
                candidate_id=candidate.id,
                adjudicator_id=judge.id,
                verdict=verdict,
                reason="",
            )
        assert reviews.find_adjudication(session, candidate.id) is latest
        assert latest.supersedes_id is not None


def test_who_reviewed_cannot_adjudicate_and_one_review_is_not_enough(engine: Engine) -> None:
    with session_scope(engine) as session:
        candidate = make_candidates(session, 1)[0]
        ann, bob = make_user(session), make_user(session)

        def adjudicate(person: User) -> None:
            reviews.record_adjudication(
                session,
                candidate_id=candidate.id,
                adjudicator_id=person.id,
                verdict=YES,
                reason="",
            )

        decide(session, candidate, ann, YES)
        decide(session, candidate, ann, NO)
        with pytest.raises(Conflict, match="two examiners"):
            adjudicate(bob)
        decide(session, candidate, bob, NO)
        with pytest.raises(Conflict, match="cannot adjudicate"):
            adjudicate(bob)


def test_candidate_that_is_not_there(engine: Engine) -> None:
    with pytest.raises(NotFound, match="candidate"), session_scope(engine) as session:
        reviews.record_review(
            session,
            candidate_id=unknown_id(),
            examiner_id=unknown_id(),
            verdict=YES,
            note="",
        )
