from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete, select

from db.errors import Invalid, NotFound
from db.models import Case, User, UserRole
from db.queries.rows import PAGE_SIZE_MAX, fetch_page, get_row, get_rows
from db.session import session_scope
from tests.support.factories import make_user, unknown_id


def _names(engine: Engine, *, limit: int, descending: bool, meddle: bool = False) -> list[str]:
    names: list[str] = []
    after = None
    for _ in range(10):  # more pages than any list here has
        with session_scope(engine) as session:
            page = fetch_page(
                session,
                select(User),
                key=User.id,
                after=after,
                limit=limit,
                descending=descending,
            )
            names += [user.name for user in page.rows]
            if page.next_after is None:
                return names
            if meddle:  # the last row seen goes, a new one comes
                session.execute(delete(User).where(User.id == page.rows[-1].id))
                meddle = False
        after = page.next_after
    return names


@pytest.mark.parametrize("limit", [1, 3, 7, 8])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_together_are_the_whole_list(engine: Engine, limit: int, descending: bool) -> None:
    expected = [f"u{i}" for i in range(7)]
    with session_scope(engine) as session:
        for name in expected:
            make_user(session, name=name)
    assert sorted(_names(engine, limit=limit, descending=descending)) == expected
    assert _names(engine, limit=limit, descending=True) == expected[::-1]


def test_a_row_deleted_between_pages_shifts_nothing(engine: Engine) -> None:
    expected = [f"u{i}" for i in range(7)]
    with session_scope(engine) as session:
        for name in expected:
            make_user(session, name=name)
    assert _names(engine, limit=2, descending=False, meddle=True) == expected


def test_empty_list_is_one_empty_page(engine: Engine) -> None:
    with session_scope(engine) as session:
        page = fetch_page(session, select(User), key=User.id)
    assert (list(page.rows), page.next_after) == ([], None)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limit_out_of_range_is_refused(engine: Engine, limit: int) -> None:
    with pytest.raises(Invalid, match="1 to 1000"), session_scope(engine) as session:
        fetch_page(session, select(User), key=User.id, limit=limit)


def test_absent_row_is_named(engine: Engine) -> None:
    key = unknown_id()
    with pytest.raises(NotFound, match=f"no case '{key}'"), session_scope(engine) as session:
        get_row(session, Case, key)


def test_locking_reads_the_row_afresh(engine: Engine) -> None:
    with session_scope(engine) as session:
        user = make_user(session)
        session.execute(delete(UserRole))
        session.connection().exec_driver_sql("UPDATE users SET full_name = 'Changed'")
        assert user.full_name == "A Person"
        assert get_row(session, User, user.id, lock=True).full_name == "Changed"


def test_rows_are_read_together_by_key(engine: Engine) -> None:
    with session_scope(engine) as session:
        users = [make_user(session, name=f"u{i}") for i in range(3)]
        keys = [users[2].id, users[0].id, users[2].id]
        assert {k: row.name for k, row in get_rows(session, User, keys).items()} == {
            users[0].id: "u0",
            users[2].id: "u2",
        }
        assert get_rows(session, User, []) == {}


def test_a_row_that_is_not_there_is_not_left_out_silently(engine: Engine) -> None:
    with session_scope(engine) as session:
        known = make_user(session, name="ann").id
        missing = unknown_id()
        with pytest.raises(NotFound, match=str(missing)):
            get_rows(session, User, [known, missing])
        with pytest.raises(Invalid, match="At most"):
            get_rows(session, User, [unknown_id() for _ in range(PAGE_SIZE_MAX + 1)])
