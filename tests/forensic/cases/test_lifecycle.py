"""A case from opening to expunging: who may do what, and what the audit keeps of it."""

import json
import uuid
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Job, Probe, Role
from db.queries.audit import verify
from db.queries.cases import list_due_cases
from db.session import session_scope
from forensic.cases import lifecycle, probes, retention
from forensic.cases.actor import Actor
from forensic.cases.audit import Tag
from forensic.errors import (
    CaseClosed,
    CaseNotFound,
    NotPermitted,
    RecordConflict,
    RequestRefused,
    StaleRecord,
)
from forensic.storage import FileStore
from tests.support.service import actor_of, completed_search, events_of, open_case, seal

TOMORROW = date.today() + timedelta(days=2)


def test_who_opens_a_case_is_assigned_and_told_in_the_audit(records: Engine) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor, " 2026/7 ")
        assert case.number == "2026/7"
        assert [m.user_id for m in lifecycle.list_members(session, actor, case.id)] == [
            actor.user_id
        ]
        assert [c.id for c in lifecycle.list_cases(session, actor).rows] == [case.id]
        (event,) = events_of(session, Tag.CASE_OPENED)
        payload = json.loads(event.payload)
        assert payload["case_id"] == str(case.id)
        assert payload["request_id"] == "request-1"
        assert payload["details"]["legal_basis"] == "court order 12"
        assert verify(session).is_sound


@pytest.mark.parametrize("field", ["number", "offence", "legal_basis", "purpose"])
@pytest.mark.parametrize("value", ["", "   ", "x" * 2001, "a\x00b"])
def test_a_case_needs_every_field(records: Engine, field: str, value: str) -> None:
    given = {"number": "1", "offence": "o", "legal_basis": "l", "purpose": "p", field: value}
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        with pytest.raises(RequestRefused) as refused:
            lifecycle.open_case(session, actor, **given)
        assert refused.value.field == field


def test_a_number_is_taken_once(records: Engine) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        open_case(session, actor, "2026/1")
        with pytest.raises(RecordConflict, match="already"):
            open_case(session, actor, "2026/1")


def test_other_peoples_cases_do_not_exist(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        mine, other = (actor_of(session, Role.INVESTIGATOR) for _ in range(2))
        case = open_case(session, mine)
        asks: list[Callable[[], object]] = [
            lambda: lifecycle.get_case(session, other, case.id),
            lambda: lifecycle.list_members(session, other, case.id),
            lambda: lifecycle.timeline(session, other, case.id),
            lambda: lifecycle.close(session, other, case.id, reason="r"),
            lambda: lifecycle.assign(session, other, case.id, other.user_id or uuid.uuid4()),
            lambda: seal(session, other, case, store),
            lambda: probes.list_probes(session, other, case.id),
        ]
        for ask in asks:
            with pytest.raises(CaseNotFound) as foreign:
                ask()
            assert str(foreign.value) == f"There is no case {str(case.id)!r}."
        with pytest.raises(CaseNotFound):
            lifecycle.get_case(session, other, uuid.uuid4())
        assert not lifecycle.list_cases(session, other).rows


def test_an_auditor_sees_every_case_and_changes_none(records: Engine) -> None:
    with session_scope(records) as session:
        case = open_case(session, actor_of(session, Role.INVESTIGATOR))
        auditor = actor_of(session, Role.AUDITOR)
        assert lifecycle.get_case(session, auditor, case.id).id == case.id
        with pytest.raises(NotPermitted):
            lifecycle.update_case(session, auditor, case.id, offence="x")


@pytest.mark.parametrize("role", [Role.GALLERY_MANAGER, Role.ADMINISTRATOR])
def test_managers_and_administrators_see_no_case(records: Engine, role: Role) -> None:
    with session_scope(records) as session:
        case = open_case(session, actor_of(session, Role.INVESTIGATOR))
        with pytest.raises(NotPermitted):
            lifecycle.get_case(session, actor_of(session, role), case.id)


def test_a_change_is_recorded_with_what_was_there(records: Engine) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        seen = case.version
        lifecycle.update_case(
            session, actor, case.id, expected_version=seen, offence="robbery", purpose="find leads"
        )
        details = json.loads(events_of(session, Tag.CASE_CHANGED)[0].payload)["details"]
        assert details["before"] == {"offence": "burglary"}
        assert details["after"] == {"offence": "robbery"}
        with pytest.raises(StaleRecord):
            lifecycle.update_case(session, actor, case.id, expected_version=seen, offence="x")
        with pytest.raises(RequestRefused, match="'status' cannot be changed"):
            lifecycle.update_case(session, actor, case.id, status="closed")


def test_a_closed_case_takes_nothing_until_it_is_reopened(
    records: Engine, store: FileStore
) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        lifecycle.close(session, actor, case.id, reason="solved")
        with pytest.raises(CaseClosed, match="reopen"):
            seal(session, actor, case, store)
        lifecycle.reopen(session, actor, case.id, reason="new witness")
        assert seal(session, actor, case, store).case_id == case.id


def test_only_people_with_a_role_in_cases_are_assigned(records: Engine) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        examiner, auditor = (actor_of(session, role) for role in (Role.EXAMINER, Role.AUDITOR))
        case = open_case(session, actor)
        assert examiner.user_id
        assert auditor.user_id
        lifecycle.assign(session, actor, case.id, examiner.user_id)
        assert lifecycle.get_case(session, examiner, case.id).id == case.id
        with pytest.raises(RequestRefused):
            lifecycle.assign(session, actor, case.id, auditor.user_id)
        lifecycle.unassign(session, actor, case.id, examiner.user_id)
        with pytest.raises(CaseNotFound):
            lifecycle.get_case(session, examiner, case.id)


def test_the_last_person_stays(records: Engine) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        assert actor.user_id
        with pytest.raises(RecordConflict, match="last person"):
            lifecycle.unassign(session, actor, case.id, actor.user_id)


def expunging(session: Session, store: FileStore) -> tuple[Actor, Actor, uuid.UUID, list[str]]:
    actor, chief = actor_of(session, Role.INVESTIGATOR), actor_of(session, Role.ADMINISTRATOR)
    case = open_case(session, actor)
    probe = seal(session, actor, case, store, artist="A. Artist", note="tall")
    completed_search(session, actor, case, store)
    return actor, chief, case.id, [probe.sketch_sha256]


def test_expunging_clears_people_and_asks_for_the_deletion_of_files(
    records: Engine, store: FileStore
) -> None:
    with session_scope(records) as session:
        actor, chief, case_id, sketches = expunging(session, store)
        with pytest.raises(NotPermitted):
            retention.expunge(session, actor, case_id, reason="acquitted")
        job = retention.expunge(session, chief, case_id, reason="acquitted")
        assert session.get(Job, job.id).kind == "expunge"
        probe = probes.list_probes(session, actor, case_id).rows[0]
        assert (probe.artist, probe.note, probe.source) == (None, "", "")
        assert probe.sketch_sha256 == sketches[0]
        details = json.loads(events_of(session, Tag.CASE_EXPUNGED)[0].payload)["details"]
        assert sketches[0] in details["files"]
        assert details["reason"] == "acquitted"
        with pytest.raises(RecordConflict, match="expunged"):
            probes.sketch_bytes(session, actor, probe.id, store=store)
        with pytest.raises(RecordConflict, match="expunged"):
            lifecycle.reopen(session, actor, case_id, reason="oops")


def test_a_legal_hold_forbids_expunging(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        actor, chief, case_id, _ = expunging(session, store)
        retention.set_legal_hold(session, actor, case_id, reason="appeal pending")
        with pytest.raises(RecordConflict, match="appeal pending"):
            retention.expunge(session, chief, case_id, reason="retention over")
        assert session.get(Probe, probes.list_probes(session, actor, case_id).rows[0].id).artist
        retention.set_legal_hold(session, chief, case_id, reason=None)
        assert retention.expunge(session, chief, case_id, reason="retention over")


def test_retention_names_the_cases_that_are_due(records: Engine) -> None:
    with session_scope(records) as session:
        actor, chief = actor_of(session, Role.INVESTIGATOR), actor_of(session, Role.ADMINISTRATOR)
        case = open_case(session, actor, retain_until_on=TOMORROW)
        open_case(session, actor)
        later = TOMORROW + timedelta(days=1)
        assert not retention.due_for_retention(session, chief).rows
        due = retention.due_for_retention(session, chief, on=later)
        assert [c.id for c in due.rows] == [case.id]
        assert [c.id for c in list_due_cases(session, later).rows] == [case.id]
        with pytest.raises(RequestRefused, match="day to come"):
            open_case(session, actor, retain_until_on=date(2020, 1, 1))


def test_the_timeline_tells_deeds_not_views_nor_details(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        lifecycle.get_case(session, actor, case.id)
        seal(session, actor, case, store)
        first = lifecycle.timeline(session, actor, case.id, limit=1)
        assert [entry.tag for entry in first.rows] == [Tag.PROBE_SEALED.value]
        assert first.rows[0].by == "A Person"
        rest = lifecycle.timeline(session, actor, case.id, after=first.next_after)
        assert [entry.tag for entry in rest.rows] == [Tag.CASE_OPENED.value]
        assert rest.next_after is None
