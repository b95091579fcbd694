"""Two examiners decide independently and blind; where they differ a third decides."""

import json

import pytest
from sqlalchemy import Engine

from db.models import Role, Verdict
from db.session import session_scope
from forensic.cases import leads, lifecycle, reviews
from forensic.cases.audit import Tag
from forensic.cases.reviews import Progress, Standing
from forensic.errors import (
    CaseClosed,
    NotPermitted,
    RecordNotFound,
    RequestRefused,
    ReviewConflict,
)
from forensic.storage import FileStore
from tests.support.service import actor_of, completed_search, events_of, open_case

YES, NO, UNSURE = Verdict.POTENTIAL_CANDIDATE, Verdict.NO_CANDIDATE, Verdict.INCONCLUSIVE


@pytest.fixture
def scene(records: Engine, store: FileStore):
    """An investigator, three examiners, and a list of three candidates."""
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        examiners = [actor_of(session, Role.EXAMINER) for _ in range(3)]
        case = open_case(session, actor)
        for examiner in examiners:
            lifecycle.assign(session, actor, case.id, examiner.user_id)
        search = completed_search(session, actor, case, store)
        ids = [row.id for row in leads.all_candidates(session, search.id)]
    return actor, examiners, search, ids


def decide_all(session, examiner, ids, verdicts) -> None:
    for candidate_id, verdict in zip(ids, verdicts, strict=True):
        reviews.decide(session, examiner, candidate_id, verdict=verdict, note="seen")


def test_a_decision_is_superseded_never_changed(records: Engine, scene) -> None:
    _, (examiner, *_), search, ids = scene
    with session_scope(records) as session:
        first = reviews.decide(
            session, examiner, ids[0], verdict=UNSURE, features={"nose": "similar"}
        )
        later = reviews.decide(session, examiner, ids[0], verdict=YES, note="ears agree")
        assert later.supersedes_id == first.id
        assert [r.id for r in reviews.list_own(session, examiner, search.id)] == [later.id]
        everything = reviews.list_own(session, examiner, search.id, with_superseded=True)
        assert [(r.verdict, r.features) for r in everything] == [
            (UNSURE, {"nose": "similar"}),
            (YES, {}),
        ]
        assert reviews.progress(session, examiner, search.id) == Progress(1, 3)
        assert len(events_of(session, Tag.REVIEW_DECIDED)) == 1
        assert len(events_of(session, Tag.REVIEW_SUPERSEDED)) == 1


def test_the_audit_tells_whether_a_decision_was_blind(records: Engine, scene) -> None:
    _, (examiner, *_), _, ids = scene
    with session_scope(records) as session:
        decide_all(session, examiner, ids, [NO, NO, NO])
        reviews.decide(session, examiner, ids[0], verdict=UNSURE)
        told = [
            json.loads(event.payload)["details"]["was_blind"]
            for tag in (Tag.REVIEW_DECIDED, Tag.REVIEW_SUPERSEDED)
            for event in events_of(session, tag)
        ]
        assert told == [True, True, True, False]


def test_others_decisions_stay_hidden_until_all_ones_own_are_made(records: Engine, scene) -> None:
    actor, (first, second, _), search, ids = scene
    with session_scope(records) as session:
        decide_all(session, first, ids, [YES, NO, NO])
        assert not reviews.list_own(session, second, search.id)
        reviews.decide(session, second, ids[0], verdict=NO)
        with pytest.raises(ReviewConflict, match="1 of 3 are decided"):
            reviews.list_all(session, second, search.id)
        with pytest.raises(ReviewConflict):
            reviews.disagreements(session, second, search.id)
        for candidate_id in ids[1:]:
            reviews.decide(session, second, candidate_id, verdict=NO)
        standing = [(c.standing, c.verdict) for c in reviews.list_all(session, second, search.id)]
        assert standing == [
            (Standing.DIFFERING, None),
            (Standing.AGREED, NO),
            (Standing.AGREED, NO),
        ]
        assert len(reviews.list_all(session, actor, search.id)) == 3


def test_a_third_examiner_adjudicates_what_two_see_differently(records: Engine, scene) -> None:
    actor, (first, second, third), search, ids = scene
    with session_scope(records) as session:
        decide_all(session, first, ids, [YES, NO, NO])
        with pytest.raises(ReviewConflict, match="no two examiners differ"):
            reviews.adjudicate(session, third, ids[0], verdict=NO, reason="r")
        decide_all(session, second, ids, [NO, NO, UNSURE])
        found = reviews.disagreements(session, third, search.id)
        assert {d.candidate_id for d in found} == {ids[0], ids[2]}
        assert all(len(d.reviews) == 2 for d in found)
        with pytest.raises(ReviewConflict, match="cannot adjudicate"):
            reviews.adjudicate(session, first, ids[0], verdict=YES, reason="mine")
        with pytest.raises(ReviewConflict, match="no two examiners differ"):
            reviews.adjudicate(session, third, ids[1], verdict=YES, reason="they agree")
        reviews.adjudicate(session, third, ids[0], verdict=UNSURE, reason="pose differs")
        left = reviews.disagreements(session, third, search.id)
        assert [d.candidate_id for d in left] == [ids[2]]
        conclusion = reviews.list_all(session, actor, search.id)[0]
        assert (conclusion.standing, conclusion.verdict) == (Standing.ADJUDICATED, UNSURE)
        with pytest.raises(ReviewConflict, match="cannot review"):
            reviews.decide(session, third, ids[0], verdict=NO)


def test_standing_with_nobody_and_with_one(records: Engine, scene) -> None:
    actor, (first, *_), search, ids = scene
    with session_scope(records) as session:
        reviews.decide(session, first, ids[1], verdict=NO)
        found = reviews.list_all(session, actor, search.id)
        assert [(c.standing, c.verdict) for c in found] == [
            (Standing.NOT_REVIEWED, None),
            (Standing.ONE_EXAMINER, NO),
            (Standing.NOT_REVIEWED, None),
        ]


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": YES},
        {"verdict": YES, "note": "  "},
        {"verdict": NO, "features": {"horns": "similar"}},
        {"verdict": NO, "features": {"nose": "sort of"}},
        {"verdict": NO, "note": "x" * 2001},
    ],
)
def test_an_incomplete_decision_is_refused(records: Engine, scene, changes) -> None:
    _, (examiner, *_), search, ids = scene
    with session_scope(records) as session:
        with pytest.raises(RequestRefused):
            reviews.decide(session, examiner, ids[0], **changes)
        assert not reviews.list_own(session, examiner, search.id)


def test_only_assigned_examiners_decide_in_open_cases(records: Engine, scene) -> None:
    actor, (examiner, *_), search, ids = scene
    with session_scope(records) as session:
        with pytest.raises(NotPermitted):
            reviews.decide(session, actor, ids[0], verdict=NO)
        with pytest.raises(RecordNotFound):
            reviews.decide(session, actor_of(session, Role.EXAMINER), ids[0], verdict=NO)
        lifecycle.close(session, actor, search.case_id, reason="done")
        with pytest.raises(CaseClosed):
            reviews.decide(session, examiner, ids[0], verdict=NO)
