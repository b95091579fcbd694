# ruff: noqa: PT012 - the whole transaction is what must fail

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.errors import Invalid
from db.models import AuditEvent
from db.queries import audit
from db.queries.audit import GENESIS_HASH, Anchor, FaultKind, append, find_head, list_events, verify
from db.session import open_engine, session_scope
from tests.support.factories import sha256

CASE = uuid.UUID("01890000-0000-7000-8000-000000000001")


def write_events(engine: Engine, n: int = 6) -> list[Anchor]:
    anchors = []
    for i in range(n):
        with session_scope(engine) as session:
            event = append(
                session,
                actor=f"user{i % 2}",
                tag="web:case:view",
                case_id=CASE if i % 2 else None,
                details={"i": i, "name": "Дело № 5\x00"},
            )
            anchors.append(Anchor(event.sequence, event.hash))
    return anchors


def tamper(engine: Engine, *statements: str, **values: Any) -> None:
    """Change the audit as someone could who owns the database and takes its guards away."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            before = ["ALTER TABLE audit_events DISABLE TRIGGER USER"]
            after = ["ALTER TABLE audit_events ENABLE TRIGGER USER"]
        else:
            names = [f"audit_events_never_{action}" for action in ("changed", "deleted")]
            before, after = [f"DROP TRIGGER IF EXISTS {name}" for name in names], []
        for statement in [*before, *statements, *after]:
            connection.execute(text(statement), values)


def faults(engine: Engine, *anchors: Anchor) -> list[tuple[int, FaultKind]]:
    with session_scope(engine, read_only=True) as session:
        return [(f.sequence, f.kind) for f in verify(session, anchors=anchors).faults]


def test_untouched_chain_is_sound(engine: Engine) -> None:
    anchors = write_events(engine)
    with session_scope(engine, read_only=True) as session:
        result = verify(session, anchors=anchors)
        assert find_head(session) == anchors[-1]
    assert (result.is_sound, result.count, result.head) == (True, 6, anchors[-1])


def test_empty_audit_is_sound_unless_an_anchor_was_noted(engine: Engine) -> None:
    assert faults(engine) == []
    assert faults(engine, Anchor(1, sha256(1))) == [(1, FaultKind.TRUNCATED)]


def test_payload_is_canonical_and_sealed_by_the_documented_formula(engine: Engine) -> None:
    write_events(engine, 2)
    with session_scope(engine, read_only=True) as session:
        second, first = list_events(session).rows
    assert first.previous_hash == GENESIS_HASH
    assert second.previous_hash == first.hash == sha256(f"{GENESIS_HASH}\n{first.payload}")
    told = json.loads(second.payload)
    assert told["details"] == {"i": 1, "name": "Дело № 5\x00"}
    assert (told["sequence"], told["actor"], told["case_id"]) == (2, "user1", str(CASE))
    assert second.payload == json.dumps(told, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    "change",
    [
        "payload = replace(payload, 'web:case:view', 'web:case:edit')",
        "actor = 'nobody'",
        "tag = 'web:case:edit'",
        "case_id = NULL",
        "recorded_at = '2020-01-01 00:00:00+00'",
        "hash = '" + "0" * 63 + "1'",
    ],
)
def test_edited_event_is_found(engine: Engine, change: str) -> None:
    write_events(engine)
    tamper(engine, f"UPDATE audit_events SET {change} WHERE sequence = 4")
    assert (4, FaultKind.EDITED) in faults(engine)


def test_time_that_cannot_be_read_is_found(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("PostgreSQL stores no malformed time.")
    write_events(engine)
    tamper(engine, "UPDATE audit_events SET recorded_at = 'yesterday' WHERE sequence = 4")
    assert faults(engine) == [(4, FaultKind.EDITED)]


def _reseal(engine: Engine, sequence: int, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edit one event and make its own hash fit, as a careful forger would."""
    with session_scope(engine) as session:
        event = session.get_one(AuditEvent, sequence)
        told = json.loads(event.payload)
        edit(told)
        payload = json.dumps(told, sort_keys=True, separators=(",", ":"))
        seal = sha256(f"{event.previous_hash}\n{payload}")
    tamper(
        engine,
        "UPDATE audit_events SET payload = :payload, hash = :hash WHERE sequence = :sequence",
        payload=payload,
        hash=seal,
        sequence=sequence,
    )


def test_event_edited_and_sealed_again_breaks_the_link_after_it(engine: Engine) -> None:
    anchors = write_events(engine)
    _reseal(engine, 4, lambda told: told["details"].update(i=99))
    assert faults(engine) == [(5, FaultKind.UNLINKED)]
    assert faults(engine, anchors[3]) == [(4, FaultKind.REWRITTEN), (5, FaultKind.UNLINKED)]


def test_last_event_edited_and_sealed_again_needs_an_anchor(engine: Engine) -> None:
    anchors = write_events(engine)
    _reseal(engine, 6, lambda told: told["details"].update(i=99))
    assert faults(engine) == []
    assert faults(engine, anchors[-1]) == [(6, FaultKind.REWRITTEN)]


@pytest.mark.parametrize("first", [1, 3])
def test_removed_events_are_found(engine: Engine, first: int) -> None:
    write_events(engine)
    tamper(engine, f"DELETE FROM audit_events WHERE sequence BETWEEN {first} AND {first + 1}")
    assert faults(engine) == [(first + 2, FaultKind.MISSING)]


def test_removed_and_renumbered_events_are_found(engine: Engine) -> None:
    write_events(engine)
    renumber = [
        f"UPDATE audit_events SET sequence = {i - 1} WHERE sequence = {i}" for i in range(4, 7)
    ]
    tamper(engine, "DELETE FROM audit_events WHERE sequence = 3", *renumber)
    displaced = [(i, FaultKind.DISPLACED) for i in (3, 4, 5)]
    assert faults(engine) == [(3, FaultKind.UNLINKED), *displaced]


def test_reordered_events_are_found(engine: Engine) -> None:
    write_events(engine)
    swap = [
        f"UPDATE audit_events SET sequence = {new} WHERE sequence = {old}"
        for old, new in ((3, 99), (4, 3), (99, 4))
    ]
    tamper(engine, *swap)
    assert {(3, FaultKind.DISPLACED), (4, FaultKind.DISPLACED)} <= set(faults(engine))


def test_inserted_event_is_found(engine: Engine) -> None:
    """One is put between 3 and 4, correctly sealed, and the later ones move up."""
    anchors = write_events(engine)
    renumber = [
        f"UPDATE audit_events SET sequence = {i + 1} WHERE sequence = {i}" for i in (6, 5, 4)
    ]
    tamper(engine, *renumber)
    payload = '{"actor":"x","case_id":null,"recorded_at":"2026-01-01T00:00:00.000000+00:00",'
    payload += '"sequence":4,"tag":"web:case:view"}'
    tamper(
        engine,
        "UPDATE audit_events SET previous_hash = :free WHERE sequence = 5",
        "INSERT INTO audit_events (sequence, recorded_at, actor, tag, payload, previous_hash, hash)"
        " VALUES (4, '2026-01-01 00:00:00+00', 'x', 'web:case:view', :payload, :previous, :hash)",
        free=sha256("free"),
        payload=payload,
        previous=anchors[2].hash,
        hash=sha256(f"{anchors[2].hash}\n{payload}"),
    )
    found = faults(engine)
    assert (5, FaultKind.UNLINKED) in found
    assert (6, FaultKind.DISPLACED) in found
    assert not [fault for fault in found if fault[0] <= 4]


def test_truncated_audit_needs_an_anchor(engine: Engine) -> None:
    anchors = write_events(engine)
    tamper(engine, "DELETE FROM audit_events WHERE sequence > 4")
    assert faults(engine) == []
    assert faults(engine, anchors[2], anchors[5]) == [(6, FaultKind.TRUNCATED)]
    write_events(engine, 3)  # and it stays told when the audit has grown again
    assert faults(engine, anchors[5]) == [(6, FaultKind.REWRITTEN)]


def test_faults_are_limited(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_MAX_FAULTS", 3)
    write_events(engine)
    tamper(engine, "UPDATE audit_events SET actor = 'nobody'")
    assert len(faults(engine)) == 3


def test_event_and_change_are_kept_together(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), session_scope(engine) as session:
        append(session, actor="system", tag="test:chain:grow")
        raise ZeroDivisionError
    anchors = write_events(engine, 1)
    assert anchors[0].sequence == 1
    assert faults(engine) == []


def test_several_events_in_one_transaction(engine: Engine) -> None:
    with session_scope(engine) as session:
        for _ in range(3):
            append(session, actor="system", tag="test:chain:grow")
    assert faults(engine) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"tag": "view"},
        {"tag": "Web:Case:View"},
        {"actor": " "},
        {"details": {"x": float("nan")}},
        {"details": {"x": object()}},
    ],
)
def test_malformed_events_are_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"actor": "system", "tag": "a:b:c", **wrong}
    with pytest.raises(Invalid), session_scope(engine) as session:
        append(session, **given)


def test_events_are_found_by_case_actor_and_tag_page_by_page(engine: Engine) -> None:
    write_events(engine, 7)
    with session_scope(engine, read_only=True) as session:
        of_case = list_events(session, case_id=CASE, limit=2)
        assert [event.sequence for event in of_case.rows] == [6, 4]
        rest = list_events(session, case_id=CASE, limit=2, after=of_case.next_after)
        assert ([event.sequence for event in rest.rows], rest.next_after) == ([2], None)
        assert {e.sequence for e in list_events(session, actor="user0").rows} == {1, 3, 5, 7}
        assert list_events(session, tag="web:case:edit").rows == []


@pytest.mark.parametrize("wrong", ["", "5", "0:" + "0" * 64, "5:" + "g" * 64, "5:" + "0" * 63])
def test_malformed_anchor_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid, match="anchor"):
        Anchor.parse(wrong)


def test_anchor_reads_what_it_writes() -> None:
    anchor = Anchor(42, sha256("x"))
    assert Anchor.parse(f" {anchor}\n") == anchor


def test_writers_at_once_make_one_chain(url: str, engine: Engine) -> None:
    def write() -> None:
        own = open_engine(url)
        for _ in range(15):
            with session_scope(own) as session:
                append(session, actor=str(threading.get_ident()), tag="test:chain:grow")
                append(session, actor=str(threading.get_ident()), tag="test:chain:grow")
        own.dispose()

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with session_scope(engine, read_only=True) as session:
        result = verify(session)
    assert (result.is_sound, result.count) == (True, 90)


_WRITER = """
import sys
from db.queries.audit import append
from db.session import open_engine, session_scope
engine = open_engine(sys.argv[1])
while True:
    with session_scope(engine) as session:
        append(session, actor="writer", tag="test:chain:grow")
        sys.stdout.write(".")
        sys.stdout.flush()
        append(session, actor="writer", tag="test:chain:grow")
"""


def test_killed_writers_leave_a_sound_chain_of_whole_transactions(url: str, engine: Engine) -> None:
    root = Path(__file__).parents[3]
    for n_begun in (1, 4):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, url],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        assert writer.stdout.read(n_begun) == b"." * n_begun  # in the middle of a transaction
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        with session_scope(engine) as session:
            result = verify(session)
            assert result.is_sound
            assert result.count % 2 == 0
            assert result.count >= 2 * (n_begun - 1)
