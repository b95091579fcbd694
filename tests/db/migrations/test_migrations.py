from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from db.base import Base
from db.errors import SchemaMismatch
from db.migrations import check, newest_revision, upgrade
from db.session import open_engine


def test_models_and_migrations_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def _facts(engine: Engine) -> dict[str, Any]:
    """Everything the database tells of each table, also what Alembic does not compare."""
    found = inspect(engine)

    def ordered(rows: Any) -> list[str]:
        for row in rows:  # a partial index tells its condition as an object
            row["dialect_options"] = {k: str(v) for k, v in row.get("dialect_options", {}).items()}
        return sorted(repr(sorted(row.items())) for row in rows)

    never_reused: list[str] = []  # SQLite tells of it in the text of the table only
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            query = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
            never_reused = list(connection.scalars(text(query)))
    return {
        table: {
            "never reused": table in never_reused,
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table)
            },
            "primary": found.get_pk_constraint(table)["constrained_columns"],
            "checks": {c["name"]: c["sqltext"] for c in found.get_check_constraints(table)},
            "foreign": ordered(found.get_foreign_keys(table)),
            "unique": ordered(found.get_unique_constraints(table)),
            "indexes": ordered(found.get_indexes(table)),
        }
        for table in Base.metadata.tables
    }


def test_checks_and_partial_indexes_agree_too(
    engine: Engine, empty_url: str, tmp_path: Path
) -> None:
    if empty_url.startswith("sqlite"):
        empty_url = f"sqlite:///{tmp_path}/modelled.db"
    modelled = open_engine(empty_url)
    try:
        Base.metadata.create_all(modelled)
        assert _facts(modelled) == _facts(engine)
    finally:
        modelled.dispose()


def test_check_accepts_what_upgrade_made(empty_url: str) -> None:
    assert upgrade(empty_url) == newest_revision() == check(empty_url)
    assert upgrade(empty_url) == newest_revision()  # again, without effect


def test_check_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="forensic db upgrade"):
        check(f"sqlite:///{tmp_path}/absent.db")
    assert list(tmp_path.iterdir()) == []


def test_empty_database_names_the_remedy(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    with pytest.raises(SchemaMismatch, match=r"empty.*forensic db upgrade") as caught:
        check(empty_url)
    assert (caught.value.found, caught.value.expected) == (None, newest_revision())


def test_newer_database_is_refused_and_left_alone(empty_url: str) -> None:
    upgrade(empty_url)
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (check, upgrade):
        with pytest.raises(SchemaMismatch, match="Update the program") as caught:
            act(empty_url)
        assert caught.value.found == "9999"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


def test_tables_of_another_program_are_refused(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER)"))
    engine.dispose()
    with pytest.raises(SchemaMismatch, match="another program"):
        upgrade(empty_url)


def test_failed_upgrade_leaves_nothing(empty_url: str) -> None:
    """A view of a later table's name makes the migration fail half way."""
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE VIEW searches AS SELECT 1 AS one"))
    with pytest.raises(DBAPIError):
        upgrade(empty_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_two_upgrades_at_once(empty_url: str) -> None:
    outcomes: list[str] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(upgrade(empty_url))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert outcomes == [newest_revision()] * 2


def test_folder_name_with_percent_sign(tmp_path: Path) -> None:
    path = tmp_path / "100% ours" / "records.db"
    upgrade(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    assert "audit_events" in inspect(engine).get_table_names()
    engine.dispose()
