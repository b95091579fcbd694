from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.base import utc_now
from db.errors import NotFound
from db.models import Role
from db.queries import users
from db.session import session_scope
from tests.support.factories import make_user, sha256, unknown_id


def test_roles_become_exactly_those_given(engine: Engine) -> None:
    with session_scope(engine) as session:
        user = make_user(session, Role.EXAMINER, Role.AUDITOR)
        users.set_roles(session, user.id, [Role.AUDITOR, Role.INVESTIGATOR])
        assert users.list_roles(session, user.id) == {Role.AUDITOR, Role.INVESTIGATOR}
        users.set_roles(session, user.id, [])
        assert users.list_roles(session, user.id) == frozenset()


def test_wrong_passwords_at_once_are_all_counted(engine: Engine) -> None:
    with session_scope(engine) as session:
        user_id = make_user(session).id

    def fail() -> None:
        for _ in range(5):
            with session_scope(engine) as session:
                users.record_failed_login(
                    session, user_id, lock_after=10, lock_for=timedelta(minutes=5)
                )

    threads = [threading.Thread(target=fail) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with session_scope(engine) as session:
        user = users.get_user(session, user_id)
        assert user.failed_logins == 15
        assert user.locked_until_at is not None
        assert user.locked_until_at > utc_now()
        assert user.version == 1  # no edit of the person
        users.record_login(session, user_id)
        assert (user.failed_logins, user.locked_until_at) == (0, None)


def test_failed_login_of_nobody(engine: Engine) -> None:
    with pytest.raises(NotFound), session_scope(engine) as session:
        users.record_failed_login(session, unknown_id(), lock_after=3, lock_for=timedelta(1))


@pytest.mark.parametrize("ended_by", ["revoking", "expiry", "inactive person", "nothing"])
def test_ended_keys_are_not_found(engine: Engine, ended_by: str) -> None:
    past = utc_now() - timedelta(seconds=1)
    with session_scope(engine) as session:
        user = make_user(session)
        key = users.create_api_key(
            session,
            user_id=user.id,
            label="intake",
            prefix="abc",
            digest_sha256=sha256("key"),
            scopes=["search"],
            expires_at=past if ended_by == "expiry" else None,
        )
        if ended_by == "revoking":
            users.revoke_api_key(session, key.id)
        if ended_by == "inactive person":
            user.is_active = False
    with session_scope(engine) as session:
        found = users.find_api_key(session, "abc")
        assert (found is not None) == (ended_by == "nothing")
        assert len(users.list_api_keys(session, user.id)) == 1
        assert users.find_api_key(session, "xyz") is None


def test_revoking_twice_keeps_the_first_time(engine: Engine) -> None:
    with session_scope(engine) as session:
        key = users.create_api_key(
            session,
            user_id=make_user(session).id,
            label="",
            prefix="abc",
            digest_sha256=sha256("key"),
            scopes=[],
        )
        first = users.revoke_api_key(session, key.id).revoked_at
        assert users.revoke_api_key(session, key.id).revoked_at == first


def test_names_are_found_exactly(engine: Engine) -> None:
    with session_scope(engine) as session:
        make_user(session, name="ann")
        assert users.find_user(session, "ann") is not None
        assert users.find_user(session, "ann%") is None
        assert [user.name for user in users.list_users(session).rows] == ["ann"]
