"""Two examiners decide independently and blind; where they differ a third decides."""

import pytest
from sqlalchemy import Engine

from db.models import Verdict
from db.session import session_scope
from forensic.cases import conclusions, reviews
from forensic.cases.conclusions import Standing
from forensic.errors import ReviewConflict
from tests.support.service import decide_all

YES, NO, UNSURE = Verdict.POTENTIAL_CANDIDATE, Verdict.NO_CANDIDATE, Verdict.INCONCLUSIVE


def test_others_decisions_stay_hidden_until_all_ones_own_are_made(records: Engine, scene) -> None:
    actor, (first, second, _), search, ids = scene
    with session_scope(records) as session:
        decide_all(session, first, ids, [YES, NO, NO])
        assert not reviews.list_own(session, second, search.id)
        reviews.decide(session, second, ids[0], verdict=NO)
        with pytest.raises(ReviewConflict, match="1 of 3 are decided"):
            conclusions.list_all(session, second, search.id)
        with pytest.raises(ReviewConflict):
            conclusions.disagreements(session, second, search.id)
        for candidate_id in ids[1:]:
            reviews.decide(session, second, candidate_id, verdict=NO)
        standing = [
            (c.standing, c.verdict) for c in conclusions.list_all(session, second, search.id)
        ]
        assert standing == [
            (Standing.DIFFERING, None),
            (Standing.AGREED, NO),
            (Standing.AGREED, NO),
        ]
        assert len(conclusions.list_all(session, actor, search.id)) == 3


def test_a_third_examiner_adjudicates_what_two_see_differently(records: Engine, scene) -> None:
    actor, (first, second, third), search, ids = scene
    with session_scope(records) as session:
        decide_all(session, first, ids, [YES, NO, NO])
        with pytest.raises(ReviewConflict, match="no two examiners differ"):
            conclusions.adjudicate(session, third, ids[0], verdict=NO, reason="r")
        decide_all(session, second, ids, [NO, NO, UNSURE])
        found = conclusions.disagreements(session, third, search.id)
        assert {d.candidate_id for d in found} == {ids[0], ids[2]}
        assert all(len(d.reviews) == 2 for d in found)
        with pytest.raises(ReviewConflict, match="cannot adjudicate"):
            conclusions.adjudicate(session, first, ids[0], verdict=YES, reason="mine")
        with pytest.raises(ReviewConflict, match="no two examiners differ"):
            conclusions.adjudicate(session, third, ids[1], verdict=YES, reason="they agree")
        conclusions.adjudicate(session, third, ids[0], verdict=UNSURE, reason="pose differs")
        left = conclusions.disagreements(session, third, search.id)
        assert [d.candidate_id for d in left] == [ids[2]]
        conclusion = conclusions.list_all(session, actor, search.id)[0]
        assert (conclusion.standing, conclusion.verdict) == (Standing.ADJUDICATED, UNSURE)
        with pytest.raises(ReviewConflict, match="cannot review"):
            reviews.decide(session, third, ids[0], verdict=NO)


def test_standing_with_nobody_and_with_one(records: Engine, scene) -> None:
    actor, (first, *_), search, ids = scene
    with session_scope(records) as session:
        reviews.decide(session, first, ids[1], verdict=NO)
        found = conclusions.list_all(session, actor, search.id)
        assert [(c.standing, c.verdict) for c in found] == [
            (Standing.NOT_REVIEWED, None),
            (Standing.ONE_EXAMINER, NO),
            (Standing.NOT_REVIEWED, None),
        ]
