# ruff: noqa: PT012 - the whole transaction is what must fail

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, exc, func, select, text
from sqlalchemy.orm import Session

from db import session as sessions
from db.errors import BadDatabaseUrl, Conflict, Unavailable
from db.migrations import upgrade
from db.models import Case, User
from db.session import forget_deleted, open_engine, session_scope
from tests.support.factories import make_case, make_user, unknown_id


def _count(engine: Engine) -> int:
    with session_scope(engine, read_only=True) as session:
        return session.scalars(select(func.count()).select_from(User)).one()


def test_a_failing_block_keeps_nothing(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), session_scope(engine) as session:
        make_user(session)
        raise ZeroDivisionError
    assert _count(engine) == 0


def test_taken_name_is_a_conflict(engine: Engine) -> None:
    with session_scope(engine) as session:
        make_user(session, name="ann")
    with pytest.raises(Conflict), session_scope(engine) as session:
        make_user(session, name="ann")
    assert _count(engine) == 1


def test_foreign_keys_hold(engine: Engine) -> None:
    with pytest.raises(Conflict), session_scope(engine) as session:
        session.execute(
            text("INSERT INTO user_roles (user_id, role, created_at) VALUES (:u, 'auditor', :t)"),
            {"u": unknown_id().hex, "t": "2026-01-01 00:00:00"},
        )


def test_checks_of_enumerations_hold(engine: Engine) -> None:
    with session_scope(engine) as session:
        make_case(session)
    with pytest.raises(Conflict), session_scope(engine) as session:
        session.execute(text("UPDATE cases SET status = 'lost'"))


def test_stale_edit_is_a_conflict(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
    case_id = case.id
    assert case.version == 1
    with session_scope(engine) as session:
        fresh = session.get_one(Case, case.id)
        fresh.offence = "theft"
    assert fresh.version == 2
    with pytest.raises(Conflict, match="someone else"), session_scope(engine) as session:
        case.offence = "fraud"
        session.add(case)
    with session_scope(engine) as session:
        assert session.get_one(Case, case_id).offence == "theft"


def test_read_only_session_cannot_write(engine: Engine) -> None:
    with (
        pytest.raises((Unavailable, exc.InternalError), match=r"(?i)read-?only"),
        session_scope(engine, read_only=True) as session,
    ):
        make_user(session)
    with session_scope(engine) as session:  # the same connection writes again
        make_user(session)
    assert _count(engine) == 1


def test_reader_is_not_stopped_by_a_writer(engine: Engine) -> None:
    with session_scope(engine) as writing:
        make_user(writing)
        assert _count(engine) == 0
    assert _count(engine) == 1


def test_writers_wait_for_each_other(engine: Engine) -> None:
    """Each thread reads a number and writes the next one: none may be lost."""
    with session_scope(engine) as session:
        user_id = make_user(session).id

    def raise_epoch() -> None:
        for _ in range(10):
            with session_scope(engine) as session:
                user = session.get_one(User, user_id, with_for_update=True)
                user.session_epoch += 1

    threads = [threading.Thread(target=raise_epoch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with session_scope(engine) as session:
        assert session.get_one(User, user_id).session_epoch == 30


def test_lock_held_too_long_is_told(url: str, engine: Engine) -> None:
    impatient = open_engine(url, busy_timeout_s=0.1)
    with session_scope(engine) as session:
        make_user(session, name="ann")
    try:
        with session_scope(engine) as first:
            first.scalars(select(User).with_for_update()).one().full_name = "Ann"
            first.flush()
            with pytest.raises(Unavailable, match="repeat"), session_scope(impatient) as second:
                second.scalars(select(User).with_for_update()).one().full_name = "Anna"
    finally:
        impatient.dispose()


def test_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/full.db"
    upgrade(url)
    engine = open_engine(url)
    with session_scope(engine) as session:
        make_user(session)

    @event.listens_for(engine, "checkout")
    def limit(connection: object, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # type: ignore[attr-defined]

    with pytest.raises(Unavailable, match="full"), session_scope(engine) as session:
        for _ in range(2000):
            make_user(session)
    assert _count(engine) == 1
    engine.dispose()


def test_lost_connection_is_unavailable_and_then_mended(url: str, engine: Engine) -> None:
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has no connection to lose.")
    admin = open_engine(url)
    with pytest.raises(Unavailable), session_scope(engine) as session:
        make_user(session)
        _end_connections(admin)
        make_user(session)
    assert _count(engine) == 0
    admin.dispose()


def _end_connections(admin: Engine) -> None:
    with Session(admin) as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


_KILLED = """
import os, signal, sys
from db import session as sessions
from db.session import forget_deleted, open_engine, session_scope
from tests.support.factories import make_user
with session_scope(open_engine(sys.argv[1])) as session:
    make_user(session, name="committed")
with session_scope(open_engine(sys.argv[1])) as session:
    make_user(session, name="lost")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_writer_leaves_whole_transactions_only(url: str, engine: Engine) -> None:
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, url],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    with session_scope(engine) as session:  # and the lock of the dead is free
        assert session.scalars(select(User.name)).all() == ["committed"]
        make_user(session, name="next")


def test_sqlite_is_durable_and_erases(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    engine.dispose()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }


@pytest.mark.parametrize(
    "url", ["", "mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "u:secret@nonsense"]
)
def test_other_databases_are_refused_without_showing_passwords(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="postgresql://") as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)


def test_refused_values_are_not_in_messages(engine: Engine) -> None:
    with session_scope(engine) as session:
        make_user(session, name="ann")
    with pytest.raises(Conflict) as caught, session_scope(engine) as session:
        make_user(session, name="ann")
    assert "not-a-digest" not in str(caught.value)


def test_what_was_deleted_leaves_the_write_ahead_log(engine: Engine) -> None:
    with session_scope(engine) as session:
        user = make_user(session, name="to be forgotten entirely")
    with session_scope(engine) as session:
        session.delete(session.merge(user))
    assert forget_deleted(engine)
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        log = path.with_name(path.name + "-wal")
        stored = path.read_bytes() + (log.read_bytes() if log.exists() else b"")
        assert b"to be forgotten entirely" not in stored


class BusyOnce:
    """A connection whose first turn to WAL meets another one's."""

    def __init__(self, code: int) -> None:
        self.code, self.done = code, []

    def execute(self, statement: str) -> None:
        if "journal_mode" in statement and self.code:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode, self.code = self.code, 0
            raise error
        self.done.append(statement)


def test_a_new_file_that_another_turns_to_wal_at_the_same_moment_is_waited_for() -> None:
    busy = BusyOnce(sqlite3.SQLITE_BUSY)
    sessions._prepare_sqlite(busy, None, busy_timeout_s=5)
    assert any("journal_mode" in statement for statement in busy.done)
    with pytest.raises(sqlite3.OperationalError):
        sessions._prepare_sqlite(BusyOnce(sqlite3.SQLITE_BUSY), None, busy_timeout_s=-1)
    with pytest.raises(sqlite3.OperationalError):
        sessions._prepare_sqlite(BusyOnce(sqlite3.SQLITE_CORRUPT), None, busy_timeout_s=5)
