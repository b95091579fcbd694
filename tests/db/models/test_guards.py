"""What the database itself refuses, whatever the code above does."""

# ruff: noqa: PT012 - the whole transaction is what must fail

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update

from db.errors import Conflict
from db.models import (
    Adjudication,
    AuditEvent,
    Candidate,
    Embedding,
    LandmarkVersion,
    Photo,
    Review,
    Verdict,
)
from db.queries.audit import append
from db.queries.photos import remove_photos
from db.queries.reviews import record_adjudication, record_review
from db.session import session_scope
from tests.support.factories import (
    make_candidates,
    make_case,
    make_gallery,
    make_photos,
    make_user,
    sha256,
)

NEVER_DELETED = ("adjudications", "audit_events", "reviews")


@pytest.fixture
def decided(engine: Engine) -> Engine:
    """A database with a row in every table that is guarded."""
    with session_scope(engine) as session:
        candidate = make_candidates(session, 1)[0]
        for _ in range(2):
            examiner = make_user(session)
            record_review(
                session,
                candidate_id=candidate.id,
                examiner_id=examiner.id,
                verdict=Verdict.INCONCLUSIVE,
                note="",
            )
        record_adjudication(
            session,
            candidate_id=candidate.id,
            adjudicator_id=make_user(session).id,
            verdict=Verdict.NO_CANDIDATE,
            reason="ears differ",
        )
        append(session, actor="system", tag="test:guard:set")
    return engine


@pytest.mark.parametrize(
    "change",
    [
        update(AuditEvent).values(actor="nobody"),
        update(Review).values(verdict=Verdict.POTENTIAL_CANDIDATE),
        update(Adjudication).values(reason=""),
        update(Candidate).values(rank=7),
        update(LandmarkVersion).values(number=7),
        update(Embedding).values(embedder="other"),
    ],
    ids=lambda change: change.table.name,
)
def test_decided_rows_are_never_changed(decided: Engine, change: update) -> None:
    with pytest.raises(Conflict, match="never changed"), session_scope(decided) as session:
        session.execute(change)


@pytest.mark.parametrize("table", NEVER_DELETED)
def test_decided_rows_are_never_deleted(decided: Engine, table: str) -> None:
    with pytest.raises(Conflict, match="never deleted"), session_scope(decided) as session:
        session.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize("table", NEVER_DELETED)
def test_decided_rows_are_never_replaced_or_truncated(decided: Engine, table: str) -> None:
    if decided.dialect.name == "sqlite":
        statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    else:
        statement = f"TRUNCATE {table} CASCADE"
    with pytest.raises(Conflict, match="never deleted"), session_scope(decided) as session:
        session.execute(text(statement))


def test_a_review_is_superseded_only_once(decided: Engine) -> None:
    with session_scope(decided, read_only=True) as session:
        review = session.scalars(select(Review)).first()
    assert review is not None
    row = {
        "candidate_id": review.candidate_id,
        "examiner_id": review.examiner_id,
        "verdict": Verdict.NO_CANDIDATE,
        "note": "",
        "features": {},
    }
    with session_scope(decided) as session:
        session.execute(insert(Review).values(**row, supersedes_id=review.id))
    for fork in (review.id, None):
        with pytest.raises(Conflict), session_scope(decided) as session:
            session.execute(insert(Review).values(**row, supersedes_id=fork))


def test_audit_cannot_fork(decided: Engine) -> None:
    with session_scope(decided) as session:
        append(session, actor="system", tag="test:guard:set")
    with pytest.raises(Conflict), session_scope(decided) as session:
        first = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).first()
        assert first is not None
        values = {c.key: getattr(first, c.key) for c in AuditEvent.__table__.columns}
        session.execute(insert(AuditEvent).values({**values, "sequence": 9, "hash": sha256(9)}))


def test_legal_hold_forbids_expunging(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        case.legal_hold, case.retain_until_on = True, date(2020, 1, 1)
    with pytest.raises(Conflict), session_scope(engine) as session:
        session.execute(text("UPDATE cases SET expunged_at = created_at"))


def test_vector_of_another_length_is_refused(engine: Engine) -> None:
    with session_scope(engine) as session:
        make_photos(session, make_gallery(session), ["ann"])
        session.execute(delete(Embedding))
        photo_id = session.scalars(select(Photo.id)).one()
    row = {"photo_id": photo_id, "weights_sha256": sha256(1), "embedder": "fake", "dimension": 2}
    with pytest.raises(Conflict), session_scope(engine) as session:
        session.execute(insert(Embedding).values(**row, vector=b"1234567"))


def test_numbers_of_photos_are_never_given_again(engine: Engine) -> None:
    """An old index still knows the number; it must not come to mean another person."""
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        first = make_photos(session, gallery, ["ann", "bob"])
        remove_photos(session, gallery.id, first)
        session.execute(delete(Photo))
        second = make_photos(session, gallery, ["cid"])
    assert second[0] > max(first)
