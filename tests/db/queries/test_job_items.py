"""Items of jobs: each ends once, whoever does its batch again."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.errors import Conflict
from db.models import ItemState
from db.queries import job_items, jobs
from db.queries.job_items import EndedItem, NewItem
from db.session import session_scope
from tests.db.queries.test_jobs import LEASE, add, make_job
from tests.support.factories import sha256


def test_each_item_ends_once(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        first, second, third = add(session, job, 3)
        ended = [
            EndedItem(first, ItemState.INDEXED, sha256=sha256("a")),
            EndedItem(second, ItemState.REJECTED, reason_code="no_face", detail="0 found"),
        ]
        assert job_items.end_items(session, job.id, "w", ended) == 2
        assert job_items.end_items(session, job.id, "w", ended) == 0  # the batch done again
        changed = [EndedItem(first, ItemState.REJECTED, reason_code="blurred")]
        assert job_items.end_items(session, job.id, "w", changed) == 0
        assert (job.total, job.done, job.counts) == (3, 2, {"indexed": 1, "rejected": 1})
        pending = job_items.list_items(session, job.id, state=ItemState.PENDING).rows
        assert [item.id for item in pending] == [third]
        rejected = job_items.list_items(session, job.id, state=ItemState.REJECTED).rows
        assert [(item.name, item.reason_code) for item in rejected] == [("1.jpg", "no_face")]


def test_a_row_that_cannot_be_used_is_listed_as_rejected(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        bad = NewItem("row 3", "", {}, reason_code="bad_row", detail="no path")
        job_items.add_items(session, job.id, "w", [NewItem("a.jpg", "a", {}), bad])
        assert (job.total, job.done, job.counts) == (2, 1, {"rejected": 1})
        (item,) = job_items.list_items(session, job.id, state=ItemState.REJECTED).rows
        assert (item.name, item.reason_code, item.detail) == ("row 3", "bad_row", "no path")
        assert item.ended_at is not None


def test_items_are_numbered_on_across_batches(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        add(session, job, 2)
        add(session, job, 3)
        first = job_items.list_items(session, job.id, limit=4)
        rest = job_items.list_items(session, job.id, limit=4, after=first.next_after)
        assert [item.position for item in [*first.rows, *rest.rows]] == [0, 1, 2, 3, 4]
        assert (job.total, rest.next_after) == (5, None)


def test_rejection_without_reason_is_refused(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        items = add(session, job, 1)
    with pytest.raises(Conflict), session_scope(engine) as session:
        job_items.end_items(session, job.id, "w", [EndedItem(items[0], ItemState.REJECTED)])
