"""Appending to the audit, and proving that nobody has touched it.

Each event's hash covers the one before, so a row that is edited, removed, moved or put in
between breaks the chain at that place. Two things no chain can show by itself: that its last
rows were cut off, and that all of it was written anew. An `Anchor`, noted elsewhere (on paper, in
another system), shows both.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, column, func, select
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import Invalid
from db.models.audit import AuditEvent
from db.queries.rows import Page, fetch_page

GENESIS_HASH = "0" * 64
_CHAIN_LOCK = 0x6175646974  # any fixed number: one appender at a time
_TAG = re.compile(r"[a-z_]+:[a-z_]+:[a-z_]+\Z")
_MAX_FAULTS = 100


@dataclass(frozen=True)
class Anchor:
    """One place of the chain, noted where those who can write the database cannot."""

    sequence: int
    hash: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Read what `str` wrote.

        Raises:
            Invalid: The text is not a number, a colon and a SHA-256.
        """
        match = re.fullmatch(r"([1-9][0-9]*):([0-9a-f]{64})", text.strip())
        if match is None:
            raise Invalid(f"{text!r} is not an anchor such as 42:0f3a… with all 64 digits.")
        return cls(int(match[1]), match[2])


class FaultKind(enum.StrEnum):
    """What is wrong with the chain at one place."""

    EDITED = "edited"
    """The row differs from what its own hash sealed."""
    DISPLACED = "displaced"
    """The row was written under another sequence number."""
    UNLINKED = "unlinked"
    """The row does not follow the one before it: one of them was replaced or put in."""
    MISSING = "missing"
    """Rows before this one are gone."""
    TRUNCATED = "truncated"
    """The chain ends before an anchor."""
    REWRITTEN = "rewritten"
    """The event at an anchor is another one than was noted."""


@dataclass(frozen=True)
class Fault:
    """One place where the chain does not hold."""

    sequence: int
    kind: FaultKind
    detail: str


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        count: Number of events read.
        head: The last event; note it elsewhere as the next anchor. None for an empty audit.
        faults: In order of sequence; the first hundred.
    """

    count: int
    head: Anchor | None
    faults: tuple[Fault, ...]

    @property
    def is_sound(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


def append(
    session: Session,
    *,
    actor: str,
    tag: str,
    case_id: uuid.UUID | None = None,
    request_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Append one event, which is kept if the session's transaction is, and return it.

    Appending waits for other transactions that have appended and are not done: call it last,
    and keep what follows short.

    Args:
        session: An open session that may write.
        actor: Who did it: a user's id, `system`, or `anonymous` before sign-in.
        tag: What was done, as `source:subject:action`, e.g. `web:case:view`.
        case_id: The case it concerns.
        request_id: The request that it was part of.
        details: Anything that JSON can hold. No images, vectors, passwords or keys.

    Raises:
        Invalid: The tag is malformed, the actor empty, or the details are not JSON.
    """
    if not _TAG.match(tag) or not actor.strip():
        raise Invalid(f"Audit tag {tag!r} is not source:subject:action, or the actor is empty.")
    if session.get_bind().dialect.name == "postgresql":
        # SQLite needs none: its writers already hold the only write lock.
        session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    head = find_head(session) or Anchor(0, GENESIS_HASH)
    sequence = head.sequence + 1
    recorded_at = utc_now()
    payload = _canonical(
        {
            "sequence": sequence,
            "recorded_at": _instant(recorded_at),
            "actor": actor,
            "tag": tag,
            "case_id": str(case_id) if case_id else None,
            "request_id": request_id,
            "details": dict(details or {}),
        }
    )
    event = AuditEvent(
        sequence=sequence,
        recorded_at=recorded_at,
        actor=actor,
        tag=tag,
        case_id=case_id,
        payload=payload,
        previous_hash=head.hash,
        hash=_seal(head.hash, payload),
    )
    session.add(event)
    session.flush()
    return event


def list_events(
    session: Session,
    *,
    case_id: uuid.UUID | None = None,
    actor: str | None = None,
    tag: str | None = None,
    after: int | None = None,
    limit: int = 50,
) -> Page[AuditEvent]:
    """Return events, newest first, of one case, actor or tag where given."""
    statement = select(AuditEvent)
    if case_id is not None:
        statement = statement.where(AuditEvent.case_id == case_id)
    if actor is not None:
        statement = statement.where(AuditEvent.actor == actor)
    if tag is not None:
        statement = statement.where(AuditEvent.tag == tag)
    return fetch_page(
        session, statement, key=AuditEvent.sequence, after=after, limit=limit, descending=True
    )


def find_head(session: Session) -> Anchor | None:
    """Return the last event's place, to be noted elsewhere; None for an empty audit."""
    last = session.execute(
        select(AuditEvent.sequence, AuditEvent.hash).order_by(AuditEvent.sequence.desc()).limit(1)
    ).first()
    return Anchor(last.sequence, last.hash) if last else None


def verify(session: Session, *, anchors: Sequence[Anchor] = ()) -> Verification:
    """Read the whole chain once, in constant memory, and return every fault in it.

    Args:
        session: An open session; read-only suffices.
        anchors: Places noted earlier; without one, a chain that was cut short or written anew
            from some event on looks sound.
    """
    faults: list[Fault] = []
    noted = {anchor.sequence: anchor for anchor in anchors}
    count, last_sequence, last_hash = 0, 0, GENESIS_HASH
    for row in _stored_events(session):
        found = [
            *_link_faults(row, last_sequence, last_hash),
            *_content_faults(row),
            *_anchor_faults(row, noted.pop(row.sequence, None)),
        ]
        faults.extend(found[: _MAX_FAULTS - len(faults)])
        count, last_sequence, last_hash = count + 1, row.sequence, row.hash
    for anchor in sorted(noted.values(), key=lambda anchor: anchor.sequence):
        kind = FaultKind.TRUNCATED if anchor.sequence > last_sequence else FaultKind.MISSING
        detail = f"event {anchor.sequence} was noted, but the audit ends at {last_sequence}"
        faults.append(Fault(anchor.sequence, kind, detail))
    head = Anchor(last_sequence, last_hash) if count else None
    return Verification(count, head, tuple(faults))


class _StoredEvent(NamedTuple):
    """A row as it lies there: a forged time or identifier is to be reported, not to stop us."""

    sequence: int
    recorded_at: object
    actor: object
    tag: object
    case_id: object
    payload: Any
    previous_hash: str
    hash: str


def _stored_events(session: Session) -> Iterator[_StoredEvent]:
    # Columns without a type, so that nothing is converted.
    columns: list[ColumnElement[Any]] = [column(name) for name in _StoredEvent._fields]
    statement = select(*columns).select_from(AuditEvent.__table__).order_by(column("sequence"))
    with session.execute(statement.execution_options(yield_per=1000)) as rows:
        for values in rows:
            yield _StoredEvent(*values)


def _link_faults(row: _StoredEvent, last_sequence: int, last_hash: str) -> Iterator[Fault]:
    if row.sequence != last_sequence + 1:
        detail = f"events {last_sequence + 1} to {row.sequence - 1} are gone"
        yield Fault(row.sequence, FaultKind.MISSING, detail)
    elif row.previous_hash != last_hash:
        detail = f"event {row.sequence} does not follow event {last_sequence} as it is now"
        yield Fault(row.sequence, FaultKind.UNLINKED, detail)


def _content_faults(row: _StoredEvent) -> Iterator[Fault]:
    detail = f"event {row.sequence} differs from what was sealed"
    edited = Fault(row.sequence, FaultKind.EDITED, detail)
    if _seal(row.previous_hash, row.payload) != row.hash:
        yield edited
        return
    try:
        payload = json.loads(row.payload)
        told = {name: payload[name] for name in ("recorded_at", "actor", "tag", "case_id")}
        sequence = payload["sequence"]
    except (ValueError, TypeError, KeyError):
        yield edited
        return
    if sequence != row.sequence:
        detail = f"event {row.sequence} was written as event {sequence}"
        yield Fault(row.sequence, FaultKind.DISPLACED, detail)
    if told != _shown(row):
        yield edited


def _anchor_faults(row: _StoredEvent, anchor: Anchor | None) -> Iterator[Fault]:
    if anchor is not None and row.hash != anchor.hash:
        detail = f"event {row.sequence} is not the one that was noted"
        yield Fault(row.sequence, FaultKind.REWRITTEN, detail)


def _shown(row: _StoredEvent) -> dict[str, object] | None:
    """Return the columns as the payload would tell them, None where they cannot be read."""
    recorded_at = row.recorded_at
    try:
        if isinstance(recorded_at, str):  # SQLite keeps times as text
            recorded_at = datetime.fromisoformat(recorded_at).replace(tzinfo=UTC)
        case_id = str(uuid.UUID(str(row.case_id))) if row.case_id is not None else None
    except ValueError:
        return None
    if not isinstance(recorded_at, datetime):
        return None
    shown_at = _instant(recorded_at)
    return {"recorded_at": shown_at, "actor": row.actor, "tag": row.tag, "case_id": case_id}


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _seal(previous_hash: object, payload: object) -> str:
    return hashlib.sha256(f"{previous_hash}\n{payload}".encode()).hexdigest()


def _canonical(value: Mapping[str, Any]) -> str:
    """Return JSON of which there is only one way to write it, in ASCII.

    Raises:
        Invalid: The value holds something that JSON cannot.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Invalid(f"Audit details must be JSON: {error}.") from None
