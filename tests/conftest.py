"""Every test that asks for a database runs on SQLite and on a real PostgreSQL, and every test
that asks for a queue on SQLite and on a real Redis.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Engine

from db.migrations import upgrade
from db.session import open_engine
from forensic.storage import FileStore
from tests.support.databases import (
    SERVER_URL,
    PostgresDatabases,
    postgres_programs,
    postgres_server,
)
from tests.support.redis import RedisServer, redis_program, redis_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabases]:
    with ExitStack() as stack:
        url = os.environ.get(SERVER_URL)
        if url:
            databases = PostgresDatabases(url)
            stack.callback(databases.drop_all)
        else:
            programs = postgres_programs()
            if programs is None:
                _go_without(f"PostgreSQL: run deploy/install_services.sh or set {SERVER_URL}")
            databases = PostgresDatabases(stack.enter_context(postgres_server(programs)))
        yield databases


def _go_without(what: str) -> NoReturn:
    """Skip the test, or fail it where every server must be there."""
    reason = f"No {what}."
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """An empty Redis server, this test's alone."""
    program = redis_program()
    if program is None:
        _go_without("Redis: run deploy/install_services.sh")
    with redis_server(program) as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty queue."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/queue.db"
    server: RedisServer = request.getfixturevalue("redis")
    return server.url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    databases: PostgresDatabases = request.getfixturevalue("postgres")
    return databases.create_empty()


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with all tables and no row."""
    if backend == "sqlite":
        path = tmp_path / "records.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        return f"sqlite:///{path}"
    databases: PostgresDatabases = request.getfixturevalue("postgres")
    return databases.clear_migrated()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url, busy_timeout_s=20)
    yield engine
    engine.dispose()


@pytest.fixture
def records(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty SQLite database, for tests above the queries, which themselves run on both."""
    shutil.copy(migrated_sqlite, tmp_path / "service.db")
    engine = open_engine(f"sqlite:///{tmp_path}/service.db", busy_timeout_s=20)
    yield engine
    engine.dispose()


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """An empty store of files in a folder."""
    return FileStore(str(tmp_path / "files"))
