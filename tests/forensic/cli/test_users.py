from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from db.queries.audit import list_events
from db.queries.users import find_user
from db.session import open_engine, session_scope
from forensic.cases.passwords import is_password
from forensic.cli.users import user


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    shutil.copy(migrated_sqlite, tmp_path / "records.db")
    return f"sqlite:///{tmp_path}/records.db"


def run(url: str, *args: str) -> str:
    done = CliRunner().invoke(user, [args[0], "--url", url, *args[1:]], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def one_time_password(output: str) -> str:
    found = re.search(r"one-time password (\S+)", output)
    assert found is not None
    return found[1]


def test_person_is_added_listed_changed_and_reset(url: str) -> None:
    add = ("add", "ines", "--full-name", "Ines V.", "--role", "investigator")
    first = one_time_password(run(url, *add))
    assert "investigator; never signed in" in run(url, "list")
    assert "examiner" in run(url, "roles", "ines", "--role", "examiner")
    assert "closed" in run(url, "roles", "ines", "--closed")
    second = one_time_password(run(url, "reset", "ines"))
    with session_scope(open_engine(url), read_only=True) as session:
        ines = find_user(session, "ines")
        assert ines is not None
        assert ines.must_change_password
        assert is_password(second, ines.password_digest)
        assert not is_password(first, ines.password_digest)
        events = list_events(session, actor="command").rows
        assert [event.tag for event in events if ":list" not in event.tag] == [
            "accounts:password:reset",
            "accounts:user:change",
            "accounts:roles:set",
            "accounts:user:add",
        ]


def test_unknown_person_and_role_are_refused(url: str) -> None:
    runner = CliRunner()
    assert runner.invoke(user, ["reset", "--url", url, "nobody"]).exception is not None
    wrong = ["add", "--url", url, "x1", "--full-name", "X", "--role", "king"]
    assert runner.invoke(user, wrong).exit_code == 2
