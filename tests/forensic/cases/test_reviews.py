"""An examiner decides on each candidate, and a decision is superseded, never changed."""

import json

import pytest
from sqlalchemy import Engine

from db.models import Role, Verdict
from db.session import session_scope
from forensic.cases import lifecycle, reviews
from forensic.cases.audit import Tag
from forensic.cases.reviews import Progress
from forensic.errors import (
    CaseClosed,
    NotPermitted,
    RecordNotFound,
    RequestRefused,
)
from tests.support.service import actor_of, decide_all, events_of

YES, NO, UNSURE = Verdict.POTENTIAL_CANDIDATE, Verdict.NO_CANDIDATE, Verdict.INCONCLUSIVE


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
