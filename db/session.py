"""Engines and transactions: the only place that knows what SQLite and PostgreSQL need."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from db.errors import BadDatabaseUrl, Conflict, Invalid, RecordError, Unavailable

BUSY_TIMEOUT_S = 30.0
_READ_ONLY = "forensic_read_only"
_SQLITE_PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the writer
    "synchronous=FULL",  # a committed review or audit event outlives a power cut
    "foreign_keys=ON",
    "recursive_triggers=ON",  # INSERT OR REPLACE must not slip past the triggers on DELETE
    "secure_delete=ON",  # an expunged vector is overwritten, not only unlinked
)


def parse_url(url: str) -> URL:
    """Return `url` with the driver that the project uses.

    Raises:
        BadDatabaseUrl: It names neither a SQLite file nor a PostgreSQL database.
    """
    remedy = "Use sqlite:///path/to/file.db or postgresql://user@host/database."
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        # The text is not repeated: it may hold a password.
        raise BadDatabaseUrl(f"The database URL cannot be read. {remedy}") from None
    name = parsed.get_backend_name()
    if name == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise BadDatabaseUrl(
                "A SQLite database in memory cannot be shared by several processes. " + remedy
            )
        return parsed.set(drivername="sqlite+pysqlite")
    if name in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise BadDatabaseUrl(f"Databases of kind {name!r} are not supported. {remedy}")


def open_engine(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    """Return an engine for a SQLite file or a PostgreSQL database; connects only when used.

    Args:
        url: `sqlite:///file` or `postgresql://...`.
        busy_timeout_s: How long a transaction waits for another one's lock before `Unavailable`.

    Raises:
        BadDatabaseUrl: The URL names no supported database.
    """
    parsed = parse_url(url)
    serializer = partial(json.dumps, allow_nan=False, ensure_ascii=False)
    if parsed.get_backend_name() == "postgresql":
        return sqlalchemy.create_engine(
            parsed,
            json_serializer=serializer,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={
                "connect_timeout": 10,
                "application_name": "forensic",
                "options": f"-c timezone=UTC -c lock_timeout={round(busy_timeout_s * 1000)}",
            },
        )
    engine = sqlalchemy.create_engine(
        parsed, json_serializer=serializer, connect_args={"timeout": busy_timeout_s}
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout_s=busy_timeout_s))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(
    connection: sqlite3.Connection, _record: object, *, busy_timeout_s: float
) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own
    last = time.monotonic() + busy_timeout_s
    for pragma in _SQLITE_PRAGMAS:
        while True:
            try:
                connection.execute(f"PRAGMA {pragma}")
                break
            except sqlite3.OperationalError as error:
                # Two that open a new file at once both turn it to WAL, where SQLite does not wait.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                    raise
                time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another one wrote in
    # between, whatever the busy timeout; so a writer takes the write lock at its start.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def session_scope(engine: Engine, *, read_only: bool = False) -> Iterator[Session]:
    """Yield a session whose changes are committed together at the end, or not at all.

    Keep the block short and compute outside it: SQLite has one writer at a time. A read-only
    session never waits for a writer, and cannot write.

    Raises:
        Conflict: A constraint was broken, or a row was changed by someone else meanwhile.
        Invalid: A value cannot be stored.
        Unavailable: The database is out of reach, locked for too long, or out of space.
    """
    with translated_errors():
        options: dict[str, Any] = {_READ_ONLY: True} if read_only else {}
        if read_only and engine.dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        bind = engine.execution_options(**options) if options else engine
        with Session(bind, expire_on_commit=False) as session, session.begin():
            yield session


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the library's errors inside the block into those of `db.errors`.

    Raises:
        RecordError: One of its kinds, with the library's error as its cause.
    """
    try:
        yield
    except StaleDataError as error:
        raise Conflict("The row was changed by someone else meanwhile; read it again.") from error
    except exc.StatementError as error:
        translated = _translate(error)
        if translated is None:
            raise
        raise translated from error


def _translate(error: exc.StatementError) -> RecordError | None:
    """Return the records' own error, None for a mistake in our SQL."""
    # Parameters are left out of every message: they hold names and vectors.
    cause = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
    if isinstance(error, exc.IntegrityError):
        diagnostic = getattr(error.orig, "diag", None)
        constraint = getattr(diagnostic, "constraint_name", None)
        return Conflict(f"The change breaks a rule of the records: {cause}.", constraint=constraint)
    is_mistake = getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR"
    if isinstance(error, (exc.OperationalError, exc.InterfaceError)) and not is_mistake:
        return Unavailable(
            f"The database cannot be used now: {cause}. Nothing of this transaction was kept. "
            "Check that the database runs, that its disk has space and may be written, then repeat."
        )
    if isinstance(error, exc.DataError) or not isinstance(error, exc.DBAPIError):
        return Invalid(f"A value cannot be stored: {cause}.")
    return None


def forget_deleted(engine: Engine) -> bool:
    """Take what was deleted out of SQLite's write-ahead log; return whether nothing of it is left.

    Deleted rows are overwritten in the database file, but the log keeps them until it is written
    back, which waits for readers. PostgreSQL clears deleted rows by itself, in its vacuum.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()  # a checkpoint cannot run inside a transaction
    try:
        busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    return not busy


def sqlite_file(url: str) -> Path | None:
    """Return the file that a SQLite URL names, None for PostgreSQL.

    Raises:
        BadDatabaseUrl: The URL names no supported database.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database is None:
        return None
    return Path(parsed.database)
