# ruff: noqa: PT012 - the whole transaction is what must fail

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, select

from db.base import new_id
from db.errors import Invalid
from db.models import Case, User
from db.session import session_scope
from tests.support.factories import make_case, make_user, new_probe


def test_identifiers_sort_by_time_and_are_version_7() -> None:
    made = [new_id() for _ in range(2000)]
    assert len(set(made)) == 2000
    assert {(value.version, value.variant) for value in made} == {(7, "specified in RFC 4122")}
    # Two made within the same quarter microsecond may stand either way.
    assert [value.int >> 64 for value in made] == sorted(value.int >> 64 for value in made)
    milliseconds = datetime.now(UTC).timestamp() * 1000
    assert abs((made[-1].int >> 80) - milliseconds) < 60_000


def test_times_come_back_in_utc(engine: Engine) -> None:
    given = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with session_scope(engine) as session:
        make_user(session, name="ann").last_login_at = given
    with session_scope(engine) as session:
        found = session.scalars(select(User.last_login_at)).one()
    assert found == given
    assert found is not None
    assert found.tzinfo is UTC


def test_time_without_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="zone"), session_scope(engine) as session:
        make_user(session).last_login_at = datetime(2026, 3, 1)


def test_nul_in_text_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="NUL"), session_scope(engine) as session:
        make_user(session, name="ann\x00")


@pytest.mark.parametrize("text", ["ABC", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_what_is_no_sha256_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(Invalid, match="SHA-256"), session_scope(engine) as session:
        probe = new_probe(make_case(session))
        probe.sketch_sha256 = text
        session.add(probe)


def test_text_in_any_script_comes_back(engine: Engine) -> None:
    names = ["Ærøskøbing", "Дело №5", "事件", "🔎 e\u0301", "'; DROP TABLE cases; --", "{{ 7*7 }}"]
    with session_scope(engine) as session:
        for name in names:
            make_case(session).offence = name
    with session_scope(engine) as session:
        assert session.scalars(select(Case.offence).order_by(Case.id)).all() == names
