from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from db.models import Role
from db.session import session_scope
from forensic.cases import oversight
from forensic.cases.audit import Tag
from forensic.errors import NotPermitted, RequestRefused
from forensic.storage import FileStore
from tests.support.service import actor_of, completed_search, events_of, open_case


def test_events_are_read_newest_first_by_case_person_and_kind(records: Engine) -> None:
    with session_scope(records) as session:
        auditor = actor_of(session, Role.AUDITOR)
        ines = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, ines)
        open_case(session, ines)
        of_case = oversight.list_events(session, auditor, case_id=case.id)
        assert [event.tag for event in of_case.rows] == [Tag.CASE_OPENED]
        assert oversight.details(of_case.rows[0])["number"] == case.number
        of_ines = oversight.list_events(session, auditor, by=str(ines.user_id), limit=1)
        assert [event.sequence for event in of_ines.rows] == [2]
        rest = oversight.list_events(
            session, auditor, by=str(ines.user_id), after=of_ines.next_after
        )
        assert [event.sequence for event in rest.rows] == [1]
        assert oversight.list_events(session, auditor, tag="a:b:c").rows == []
        assert len(events_of(session, Tag.AUDIT_VIEWED)) == 4


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_only_auditors_read_the_audit(records: Engine, role: Role) -> None:
    with session_scope(records) as session, pytest.raises(NotPermitted):
        oversight.list_events(session, actor_of(session, role))


def test_a_page_of_no_length_is_refused(records: Engine) -> None:
    with session_scope(records) as session, pytest.raises(RequestRefused):
        oversight.list_events(session, actor_of(session, Role.AUDITOR), limit=0)


def test_a_check_of_the_chain_is_recorded_with_what_it_found(records: Engine) -> None:
    with session_scope(records) as session:
        auditor = actor_of(session, Role.AUDITOR)
        ines = actor_of(session, Role.INVESTIGATOR)
        open_case(session, ines)
        assert not oversight.verify(session, auditor).faults
        triggers = session.execute(
            text("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='audit_events'")
        ).scalars()
        for name in list(triggers):
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("UPDATE audit_events SET tag = 'a:b:c' WHERE sequence = 1"))
        found = oversight.verify(session, auditor)
        assert [fault.sequence for fault in found.faults] == [1]
        newest = events_of(session, Tag.AUDIT_VERIFIED)[0]
        assert oversight.details(newest)["faults"] == ["1: edited"]


def test_investigators_verify_nothing(records: Engine) -> None:
    with session_scope(records) as session, pytest.raises(NotPermitted):
        oversight.verify(session, actor_of(session, Role.INVESTIGATOR))


def test_auditors_see_how_much_the_service_was_used(records: Engine, store: FileStore) -> None:
    today = datetime.now(UTC).date()
    with session_scope(records) as session:
        auditor = actor_of(session, Role.AUDITOR)
        ines = actor_of(session, Role.INVESTIGATOR)
        completed_search(session, ines, open_case(session, ines), store)
        told = oversight.usage(session, auditor, first_on=today, last_on=today)
        assert (told.cases, told.searches_completed, told.candidates) == (1, 1, 3)
        assert len(events_of(session, Tag.USAGE_VIEWED)) == 1
        with pytest.raises(RequestRefused, match="ends before"):
            oversight.usage(session, auditor, first_on=today, last_on=today - timedelta(days=1))
        with pytest.raises(NotPermitted):
            oversight.usage(session, ines, first_on=today, last_on=today)
