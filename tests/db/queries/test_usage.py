"""Numbers of a period: what was asked, what was listed, and what examiners made of it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from db.base import utc_now
from db.models import Role, Verdict
from db.queries.reviews import record_adjudication, record_review
from db.queries.searches import complete_search
from db.queries.usage import count_usage
from db.session import session_scope
from tests.support.factories import (
    make_candidates,
    make_case,
    make_gallery,
    make_search,
    make_user,
    outcome,
)

YES, NO, UNSURE = Verdict.POTENTIAL_CANDIDATE, Verdict.NO_CANDIDATE, Verdict.INCONCLUSIVE
DAY = timedelta(days=1)


def test_nothing_happened_in_a_period_without_rows(engine: Engine) -> None:
    with session_scope(engine) as session:
        make_candidates(session)
        before = utc_now() - 2 * DAY
        told = count_usage(session, before, before + DAY)
    assert (told.cases, told.searches, told.candidates, told.probes, told.decisions) == (
        0, 0, 0, {}, {},
    )  # fmt: skip


def test_requests_lists_and_outcomes_are_counted(engine: Engine) -> None:
    with session_scope(engine) as session:
        first, second, third = (make_user(session, Role.EXAMINER).id for _ in range(3))

        def decide(candidate, examiner_id, verdict) -> None:
            record_review(
                session,
                candidate_id=candidate.id,
                examiner_id=examiner_id,
                verdict=verdict,
                note="seen",
            )

        negative, lead, refuted = (make_candidates(session, 2) for _ in range(3))
        for candidate in negative:
            decide(candidate, first, YES)
            decide(candidate, first, NO)  # supersedes it
        decide(lead[0], first, YES)
        for candidate in refuted:
            decide(candidate, first, YES)
            decide(candidate, second, NO)
            record_adjudication(
                session, candidate_id=candidate.id, adjudicator_id=third, verdict=UNSURE, reason="r"
            )
        empty = make_search(session, make_gallery(session))
        complete_search(session, empty.id, outcome(), [])
        make_search(session, make_gallery(session))  # asked for only
        make_case(session)
        told = count_usage(session, utc_now() - DAY, utc_now() + DAY)
    assert (told.searches, told.searches_completed, told.searches_failed) == (5, 4, 0)
    assert (told.lists_empty, told.lists_reviewed, told.lists_with_lead) == (1, 2, 1)
    assert told.candidates == 6
    assert told.decisions == {"no_candidate": 4, "potential_candidate": 3}
    assert told.adjudications == 2
    assert (told.cases, told.probes) == (6, {"forensic": 5})
