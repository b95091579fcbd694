from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.base import utc_now
from db.errors import Conflict
from db.models import User
from db.queries import web
from db.session import session_scope
from tests.support.factories import make_user, sha256

HOUR = timedelta(hours=1)


@pytest.fixture
def person(engine: Engine) -> User:
    with session_scope(engine) as session:
        user = make_user(session)
        web.begin_session(session, user, token_sha256=sha256("t"), expires_at=utc_now() + HOUR)
    return user


def holds(engine: Engine, *, seen_since: timedelta = HOUR) -> bool:
    with session_scope(engine, read_only=True) as session:
        found = web.find_session(session, sha256("t"), seen_since=utc_now() - seen_since)
        return found is not None


def test_session_holds_until_it_is_ended(engine: Engine, person: User) -> None:
    assert holds(engine)
    with session_scope(engine) as session:
        found = web.find_session(session, sha256("t"), seen_since=utc_now() - HOUR)
        assert found is not None
        assert found[1].id == person.id
        web.end_session(session, found[0].id)
    assert not holds(engine)


def test_raising_the_epoch_ends_every_session(engine: Engine, person: User) -> None:
    with session_scope(engine) as session:
        session.get_one(User, person.id).session_epoch += 1
    assert not holds(engine)


def test_inactive_people_and_idle_sessions_are_out(engine: Engine, person: User) -> None:
    assert not holds(engine, seen_since=timedelta(0))
    with session_scope(engine) as session:
        session.get_one(User, person.id).is_active = False
    assert not holds(engine)


def test_old_sessions_and_replies_are_deleted(engine: Engine, person: User) -> None:
    with session_scope(engine) as session:
        web.keep_reply(
            session,
            user_id=person.id,
            key="k",
            request_sha256=sha256("r"),
            status=201,
            headers={"Location": "/x"},
            body="{}",
        )
        web.delete_old(session, before=utc_now() - HOUR)
        assert web.find_reply(session, person.id, "k") is not None
        web.delete_old(session, before=utc_now() + 2 * HOUR)
        assert web.find_reply(session, person.id, "k") is None
    assert not holds(engine)


def test_one_key_keeps_one_answer_per_person(engine: Engine, person: User) -> None:
    kept = {"request_sha256": sha256("r"), "status": 201, "headers": {}, "body": ""}
    with session_scope(engine) as session:
        web.keep_reply(session, user_id=person.id, key="k", **kept)  # type: ignore[arg-type]
        other = make_user(session)
        web.keep_reply(session, user_id=other.id, key="k", **kept)  # type: ignore[arg-type]
    with pytest.raises(Conflict), session_scope(engine) as session:
        web.keep_reply(session, user_id=person.id, key="k", **kept)  # type: ignore[arg-type]
