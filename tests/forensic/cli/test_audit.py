from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from db.migrations import upgrade
from db.queries.audit import append
from db.session import open_engine, session_scope
from pipelines.cli import main


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/records.db"
    upgrade(url)
    engine = open_engine(url)
    with session_scope(engine) as session:
        for _ in range(4):
            append(session, actor="system", tag="test:chain:grow")
    engine.dispose()
    return url


def tamper(url: str, statement: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_events_never_changed"))
        connection.execute(text("DROP TRIGGER audit_events_never_deleted"))
        connection.execute(text(statement))
    engine.dispose()


def verify(url: str, *arguments: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(main, ["audit", "verify", "--url", url, *arguments])
    return ended.exit_code, ended.stdout, ended.stderr


def anchor_of(url: str) -> str:
    return verify(url)[1].rpartition(" ")[2].strip()


def test_sound_audit_prints_an_anchor_that_holds(url: str) -> None:
    code, shown, _ = verify(url)
    assert (code, "4 events, all as they were written." in shown) == (0, True)
    assert "Without --anchor" in shown
    code, shown, _ = verify(url, "--anchor", anchor_of(url))
    assert (code, "Without --anchor" in shown) == (0, False)


def test_edited_event_is_named(url: str) -> None:
    tamper(url, "UPDATE audit_events SET actor = 'nobody' WHERE sequence = 2")
    code, shown, complaint = verify(url)
    assert (code, shown) == (1, "")
    assert "edited: event 2 differs" in complaint


def test_cut_audit_is_found_by_the_anchor(url: str) -> None:
    anchor = anchor_of(url)
    tamper(url, "DELETE FROM audit_events WHERE sequence = 4")
    assert verify(url)[0] == 0
    code, _, complaint = verify(url, "--anchor", anchor)
    assert (code, "truncated" in complaint) == (1, True)


def test_malformed_anchor_is_refused(url: str) -> None:
    code, _, complaint = verify(url, "--anchor", "4")
    assert (code, "anchor" in complaint) == (2, True)
