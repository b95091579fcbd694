from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import Conflict
from db.models import ItemState, Job, JobState
from db.queries import job_items, jobs
from db.queries.job_items import EndedItem, NewItem
from db.queries.jobs import ABANDONED
from db.session import session_scope
from tests.support.factories import make_gallery

LEASE = timedelta(minutes=5)


def make_job(session: Session) -> Job:
    return jobs.create_job(session, kind="import", parameters={"folder": "x"})


def lose_worker(session: Session, job: Job) -> None:
    """Let the lease run out, as when the worker was killed."""
    past = utc_now() - timedelta(seconds=1)
    session.execute(update(Job).where(Job.id == job.id).values(lease_until_at=past))


def add(session: Session, job: Job, n: int, worker: str = "w") -> list[int]:
    job_items.add_items(
        session, job.id, worker, [NewItem(f"{i}.jpg", f"s{i}", {}) for i in range(n)]
    )
    return [item.id for item in job_items.list_items(session, job.id, limit=1000).rows]


def test_a_job_is_done_by_one_worker_at_a_time(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        assert jobs.list_waiting_jobs(session) == [job]
        jobs.claim_job(session, job.id, "w1", lease=LEASE)
        assert (job.state, job.worker, job.attempts) == (JobState.RUNNING, "w1", 1)
        assert jobs.list_waiting_jobs(session) == []
        with pytest.raises(Conflict, match="done by w1"):
            jobs.claim_job(session, job.id, "w2", lease=LEASE)


def test_workers_at_once_claim_it_once(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
    outcomes: list[str] = []

    def claim() -> None:
        try:
            with session_scope(engine) as session:
                jobs.claim_job(session, job.id, "w2", lease=LEASE)
            outcomes.append("claimed")
        except Conflict:
            outcomes.append("refused")

    late = threading.Thread(target=claim)
    with session_scope(engine) as session:
        jobs.claim_job(session, job.id, "w1", lease=LEASE)
        late.start()
        late.join(timeout=0.5)  # it waits for this transaction, and then sees its outcome
    late.join(timeout=60)
    assert outcomes == ["refused"]


def test_a_lost_worker_can_do_no_harm(engine: Engine) -> None:
    """It wakes up after its job went to another: everything it says is refused."""
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w1", lease=LEASE)
        items = add(session, job, 2, "w1")
        lose_worker(session, job)
        assert jobs.list_waiting_jobs(session) == [job]
        jobs.claim_job(session, job.id, "w2", lease=LEASE)
        late = [EndedItem(items[0], ItemState.INDEXED)]
        for act in (
            lambda: jobs.renew_lease(session, job.id, "w1", lease=LEASE),
            lambda: job_items.end_items(session, job.id, "w1", late),
            lambda: job_items.add_items(session, job.id, "w1", []),
            lambda: jobs.release_job(session, job.id, "w1"),
            lambda: jobs.end_job(session, job.id, "w1"),
        ):
            with pytest.raises(Conflict, match="not held by w1"):
                act()
        assert job_items.end_items(session, job.id, "w2", late) == 1


def test_a_job_that_kills_its_workers_fails_with_a_reason(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        for attempt in range(3):
            claimed = jobs.claim_job(session, job.id, f"w{attempt}", lease=LEASE)
            assert claimed.state is JobState.RUNNING
            lose_worker(session, job)
        jobs.claim_job(session, job.id, "w3", lease=LEASE)
        session.refresh(job)
        assert (job.state, job.reason_code) == (JobState.FAILED, ABANDONED)
        assert job.ended_at is not None
        assert jobs.list_waiting_jobs(session) == []
        with pytest.raises(Conflict, match="failed before"):
            jobs.claim_job(session, job.id, "w4", lease=LEASE)


def test_stopping_a_worker_in_order_costs_no_attempt(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        for _ in range(5):
            jobs.claim_job(session, job.id, "w", lease=LEASE)
            jobs.release_job(session, job.id, "w")
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)


def test_a_job_that_gets_on_is_not_given_up(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        for attempt in range(5):
            jobs.claim_job(session, job.id, f"w{attempt}", lease=LEASE)
            item = add(session, job, 1, f"w{attempt}")[-1]
            job_items.end_items(
                session, job.id, f"w{attempt}", [EndedItem(item, ItemState.INDEXED)]
            )
            lose_worker(session, job)
        assert (job.state, job.attempts) == (JobState.RUNNING, 1)


def test_progress_is_told_by_the_holder_only(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        jobs.note_progress(session, job.id, "w", {"phase": "importing"})
        assert job.progress == {"phase": "importing"}
        with pytest.raises(Conflict, match="not held by other"):
            jobs.note_progress(session, job.id, "other", {})


def test_open_jobs_are_those_of_the_gallery_that_have_not_ended(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery, other = make_gallery(session), make_gallery(session)
        first, second, ended = (
            jobs.create_job(session, kind="import", parameters={}, gallery_id=gallery.id)
            for _ in range(3)
        )
        jobs.create_job(session, kind="import", parameters={}, gallery_id=other.id)
        jobs.create_job(session, kind="index", parameters={}, gallery_id=gallery.id)
        jobs.claim_job(session, second.id, "w", lease=LEASE)
        jobs.cancel_job(session, ended.id)
        assert jobs.list_open_jobs(session, gallery.id, kind="import") == [first, second]


@pytest.mark.parametrize(("reason", "state"), [(None, "succeeded"), ("disk_full", "failed")])
def test_an_ended_job_stays_ended(engine: Engine, reason: str | None, state: str) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        ended = jobs.end_job(session, job.id, "w", reason_code=reason)
        assert (ended.state.value, ended.worker, ended.reason_code) == (state, None, reason)
        with pytest.raises(Conflict):
            jobs.cancel_job(session, job.id)


def test_a_cancelled_job_tells_its_worker(engine: Engine) -> None:
    with session_scope(engine) as session:
        job = make_job(session)
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        jobs.cancel_job(session, job.id)
        with pytest.raises(Conflict, match="cancelled"):
            jobs.renew_lease(session, job.id, "w", lease=LEASE)
        assert jobs.list_jobs(session).rows == [job]
