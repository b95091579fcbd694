"""Bringing a database to the schema of this code, and refusing one that is not there.

Alembic keeps the revision in the table `alembic_version`. Each change is one file in
`versions/`, numbered, never edited after a release, and works with the code before and after it.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, inspect, select

import db.models  # noqa: F401 - fills the metadata
from db.base import Base
from db.errors import SchemaMismatch
from db.session import open_engine, sqlite_file, translated_errors

_UPGRADE_LOCK = 0x666F72656E736963  # any fixed number: one upgrade of a database at a time


def newest_revision() -> str:
    """Return the revision of the schema that this code knows."""
    head = _script().get_current_head()
    if head is None:  # pragma: no cover - the versions are missing from the installation
        raise SchemaMismatch(
            "This installation holds no migrations; install it again.", found=None, expected="any"
        )
    return head


def upgrade(url: str) -> str:
    """Bring the database to the newest schema, making it if need be, and return its revision.

    All changes happen in one transaction: a failure leaves the schema as it was. Two upgrades at
    once wait for each other. A database that is already there is left as it is.

    Raises:
        SchemaMismatch: The database is newer than this code, or holds another program's tables.
        BadDatabaseUrl: The URL names no supported database.
        Unavailable: The database cannot be reached or written.
    """
    path = sqlite_file(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(url)
    try:
        with translated_errors(), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
            _refuse_unknown(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
    return newest_revision()


def check(url: str) -> str:
    """Return the database's revision where it is the one that this code knows.

    Raises:
        SchemaMismatch: The database is absent, older or newer; the message says the remedy.
        BadDatabaseUrl: The URL names no supported database.
        Unavailable: The database cannot be reached.
    """
    path = sqlite_file(url)
    if path is not None and not path.is_file():
        raise _older(None, f"There is no database at {path}.")
    engine = open_engine(url)
    try:
        return check_engine(engine)
    finally:
        engine.dispose()


def check_engine(engine: Engine) -> str:
    """Do as `check` with an engine that is already there.

    Raises:
        SchemaMismatch: The database is empty, older or newer; the message says the remedy.
        Unavailable: The database cannot be reached.
    """
    with translated_errors(), engine.connect() as connection:
        found = _refuse_unknown(connection)
    if found is None:
        raise _older(found, "The database is empty.")
    if found != newest_revision():
        raise _older(found, f"The database has the older schema {found}.")
    return found


def _refuse_unknown(connection: Connection) -> str | None:
    """Return the database's revision; refuse one this code does not know.

    Raises:
        SchemaMismatch: It is newer, or the tables are another program's.
    """
    found = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in _script().walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(
            f"The database has the schema {found}, which is newer than this program "
            f"({newest_revision()}). Update the program; a schema is never taken back.",
            found=found,
            expected=newest_revision(),
        )
    if found is None:
        foreign = sorted(set(inspect(connection).get_table_names()) & set(Base.metadata.tables))
        if foreign:
            raise SchemaMismatch(
                f"The database already holds tables of another program ({', '.join(foreign)}). "
                "Name an empty database.",
                found=None,
                expected=newest_revision(),
            )
    return found


def _older(found: str | None, what: str) -> SchemaMismatch:
    expected = newest_revision()
    return SchemaMismatch(
        f"{what} This program needs {expected}: run `forensic db upgrade` with the same URL.",
        found=found,
        expected=expected,
    )


def _config() -> Config:
    config = Config()
    folder = str(Path(__file__).parent)
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
