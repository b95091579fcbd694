from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import text

from db.session import open_engine
from pipelines.cli import main


def test_upgrade_then_check(tmp_path: Path) -> None:
    arguments = ["--url", f"sqlite:///{tmp_path}/new folder/records.db"]
    absent = CliRunner().invoke(main, ["db", "check", *arguments])
    assert (absent.exit_code, "forensic db upgrade" in absent.stderr) == (2, True)
    made = CliRunner().invoke(main, ["db", "upgrade", *arguments])
    assert made.exit_code == 0
    assert re.fullmatch(r"The database has schema \d{4}\.\n", made.output)
    assert CliRunner().invoke(main, ["db", "check", *arguments]).exit_code == 0


def test_newer_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    CliRunner().invoke(main, ["db", "upgrade", "--url", url])
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for command in (["db", "check"], ["db", "upgrade"], ["audit", "verify"]):
        refused = CliRunner().invoke(main, [*command, "--url", url])
        assert (refused.exit_code, "Update the program" in refused.stderr) == (2, True)


def test_url_may_come_from_the_environment(tmp_path: Path) -> None:
    environment = {"FORENSIC_DATABASE_URL": f"sqlite:///{tmp_path}/records.db"}
    assert CliRunner().invoke(main, ["db", "upgrade"], env=environment).exit_code == 0
    assert (tmp_path / "records.db").is_file()


def test_unreadable_url_is_refused_without_its_password() -> None:
    refused = CliRunner().invoke(main, ["db", "check", "--url", "mysql://u:secret@h/d"])
    assert (refused.exit_code, "secret" in refused.output) == (2, False)
    assert "postgresql://" in refused.stderr
