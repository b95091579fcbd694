"""Real databases for tests: a PostgreSQL server of their own, and empty migrated databases."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from sqlalchemy.engine import make_url

from db.base import Base
from db.migrations import upgrade
from db.session import open_engine

SERVER_URL = "FORENSIC_TEST_POSTGRES"
_SETTINGS = {
    "listen_addresses": "",  # reached through a socket in a private folder only
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
}


def postgres_programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`, None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


@contextmanager
def postgres_server(programs: Path) -> Iterator[str]:
    """Run a new server in a temporary folder and yield the URL of its first database."""
    # PostgreSQL refuses to run as root; the package brings a user of its own.
    account = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if account:
            shutil.chown(folder, account)
        groups: list[int] | None = [] if account else None
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "forensic", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*map(str, initdb), "--no-sync", "--locale=C"],
            check=True,
            capture_output=True,
            cwd=folder,
            user=account,
            extra_groups=groups,
        )
        options = [part for pair in _SETTINGS.items() for part in ("-c", "=".join(pair))]
        with open(folder / "log", "wb") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(data), "-k", str(folder), *options],
                stdout=log,
                stderr=log,
                cwd=folder,
                user=account,
                extra_groups=groups,
            )
        try:
            yield _wait_until_ready(
                f"postgresql://forensic@/postgres?host={folder}", server, folder / "log"
            )
        finally:
            server.send_signal(signal.SIGQUIT)  # "immediate": nothing is worth saving
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with _administration(url) as connection:
                connection.execute(sqlalchemy.text("SELECT 1"))
            return url
        except sqlalchemy.exc.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace")) from None
            time.sleep(0.05)


@contextmanager
def _administration(url: str) -> Iterator[sqlalchemy.Connection]:
    psycopg_url = make_url(url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(psycopg_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


class PostgresDatabases:
    """Hands out databases of one server: a migrated one, emptied for each test, and bare ones.

    Making and dropping databases waits for the disk, so the migrated one is used again.

    Args:
        server_url: Any database of a server on which databases may be made.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._made: list[str] = []
        self._migrated = self.create_empty()
        upgrade(self._migrated)

    def create_empty(self) -> str:
        """Make a database without any table and return its URL."""
        name = f"forensic_{uuid.uuid4().hex}"
        with _administration(self._server_url) as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        self._made.append(name)
        return make_url(self._server_url).set(database=name).render_as_string(hide_password=False)

    def clear_migrated(self) -> str:
        """Empty the migrated database and return its URL."""
        names = [table.name for table in reversed(Base.metadata.sorted_tables)]
        clearing = [
            *(f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in names),
            *(f"DELETE FROM {name}" for name in names),
            *(f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in names),
        ]
        engine = open_engine(self._migrated)
        with engine.begin() as connection:
            connection.exec_driver_sql("; ".join(clearing))
        engine.dispose()
        return self._migrated

    def drop_all(self) -> None:
        """Remove every database made here."""
        with _administration(self._server_url) as connection:
            for name in self._made:
                connection.execute(sqlalchemy.text(f"DROP DATABASE {name} WITH (FORCE)"))
