from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.models import Role
from db.session import session_scope
from forensic.cases import accounts, permissions
from forensic.cases.actor import Actor, anonymous_actor, command_actor, worker_actor
from forensic.cases.audit import Tag
from forensic.cases.passwords import digest_password, is_password, new_one_time_password
from forensic.cases.permissions import RULES, Action
from forensic.errors import NotPermitted, RecordConflict, RequestRefused, StaleRecord
from tests.support.service import actor_of, events_of


def test_nobody_takes_away_their_own_administration(records: Engine) -> None:
    with session_scope(records) as session:
        admin = actor_of(session, Role.ADMINISTRATOR)
        assert admin.user_id is not None
        with pytest.raises(RecordConflict):
            accounts.update_user(session, admin, admin.user_id, roles=[Role.AUDITOR])
        with pytest.raises(RecordConflict):
            accounts.update_user(session, admin, admin.user_id, is_active=False)


def test_stale_change_of_an_account_is_refused(records: Engine) -> None:
    with session_scope(records) as session:
        admin = actor_of(session, Role.ADMINISTRATOR)
        person, _ = accounts.add_user(session, admin, name="bob", full_name="Bob", roles=[])
        accounts.update_user(session, admin, person.user.id, version=1, full_name="Robert")
        with pytest.raises(StaleRecord):
            accounts.update_user(session, admin, person.user.id, version=1, full_name="Rob")


@pytest.mark.parametrize("name", ["", "a", "Ann", "a b", "../x", "x" * 65, "ann\x00", "<b>"])
def test_malformed_names_are_refused(records: Engine, name: str) -> None:
    with session_scope(records) as session, pytest.raises(RequestRefused):
        accounts.add_user(session, command_actor(), name=name, full_name="Ann", roles=[])


def test_taken_name_is_refused_and_nothing_recorded(records: Engine) -> None:
    with session_scope(records) as session:
        for _ in range(2):
            try:
                accounts.add_user(session, command_actor(), name="ann", full_name="A", roles=[])
            except RecordConflict:
                break
        else:
            pytest.fail("the name was given twice")
        assert len(events_of(session, Tag.USER_ADDED)) == 1


def test_everybody_may_see_themselves_only(records: Engine) -> None:
    with session_scope(records) as session:
        ann, bob = actor_of(session, Role.EXAMINER), actor_of(session, Role.EXAMINER)
        assert ann.user_id is not None
        assert bob.user_id is not None
        assert accounts.get_user(session, ann, ann.user_id).roles == {Role.EXAMINER}
        with pytest.raises(NotPermitted):
            accounts.get_user(session, ann, bob.user_id)


def test_every_action_has_a_rule_and_none_is_open_to_strangers() -> None:
    assert set(RULES) == set(Action)
    for action, rule in RULES.items():
        assert rule.roles
        assert rule.unbound <= rule.roles
        assert not permissions.may(anonymous_actor(), action)
        assert permissions.may(worker_actor(), action)


def test_auditors_change_nothing_and_administrators_see_no_case() -> None:
    reading = {a for a, rule in RULES.items() if Role.AUDITOR in rule.roles}
    assert {action.value.split()[0] for action in reading} <= {"see", "read", "verify", "manage"}
    assert reading & {Action.OWN_KEYS} == {a for a in reading if a.value.startswith("manage")}
    of_cases = {Action.VIEW_CASE, Action.VIEW_REPORT, Action.SEARCH, Action.REVIEW}
    assert not any(Role.ADMINISTRATOR in RULES[action].roles for action in of_cases)


def test_forged_system_actor_of_a_person_is_none(records: Engine) -> None:
    with session_scope(records) as session:
        person = actor_of(session, Role.EXAMINER)
    forged = Actor(person.user_id, "worker", frozenset(), via="worker")
    assert not permissions.may(forged, Action.MANAGE_USERS)


def test_passwords_are_salted_and_checked() -> None:
    first, second = digest_password("a long password"), digest_password("a long password")
    assert first != second
    assert is_password("a long password", first)
    assert not is_password("another password", first)
    assert not is_password("a long password", None)
    assert not is_password("x" * 257, digest_password("y"))
    assert not is_password("a long password", "scrypt$not-a-digest")


def test_one_time_passwords_are_readable_and_differ() -> None:
    made = {new_one_time_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 19 and not set(password) & set("01loi") for password in made)
