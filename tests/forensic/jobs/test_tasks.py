"""The frame round a job: taken up once, refused to the late, ended with a reason."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, update

from db.base import utc_now
from db.errors import Unavailable
from db.models import Job, JobState, Role
from db.queries import jobs as job_rows
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases import jobs
from forensic.cases.audit import Tag
from forensic.cases.jobs import JobKind
from forensic.errors import ImageError, JobError, MissingWeights, NoFaceError, NotIndexed
from forensic.jobs.galleries.hold import this_process
from forensic.jobs.queue import JobQueue
from forensic.jobs.tasks import Workshop, queue_waiting, reason_of, run_job
from forensic.storage import FileStore
from tests.support.service import actor_of, events_of


@pytest.fixture
def shop(records: Engine, store: FileStore, tmp_path: Path) -> Workshop:
    nothing = cast("Any", None)
    lease = timedelta(minutes=1)
    return Workshop(records, store, tmp_path, nothing, nothing, "w1", lease)


@pytest.fixture
def job(records: Engine) -> Job:
    with session_scope(records) as session:
        return jobs.create(session, actor_of(session, Role.EXAMINER), JobKind.SEARCH, {})


def state_of(records: Engine, job: Job) -> Job:
    with session_scope(records, read_only=True) as session:
        return get_row(session, Job, job.id)


def end(shop, hold, job) -> None:
    hold.write(lambda session: job_rows.end_job(session, job.id, shop.worker))


def test_a_job_is_done_and_never_again(shop, job) -> None:
    done = []

    def handler(shop, hold, job) -> None:
        done.append(job.id)
        end(shop, hold, job)

    for _ in range(2):
        run_job(shop, job.id, {"search": handler})
    assert done == [job.id]
    assert state_of(shop.engine, job).state is JobState.SUCCEEDED


def test_a_job_in_other_hands_is_left_alone(shop, job) -> None:
    with session_scope(shop.engine) as session:
        job_rows.claim_job(session, job.id, "other", lease=timedelta(minutes=1))
    run_job(shop, job.id, {})
    assert state_of(shop.engine, job).worker == "other"
    run_job(shop, uuid.uuid4(), {})


def test_an_unforeseen_error_tells_no_details_to_people(shop, job) -> None:
    def handler(shop, hold, job) -> None:
        raise KeyError("a secret path")

    run_job(shop, job.id, {"search": handler})
    ended = state_of(shop.engine, job)
    assert (ended.state, ended.reason_code) == (JobState.FAILED, "internal_error")
    assert "secret" not in (ended.detail or "")
    with session_scope(shop.engine) as session:
        assert len(events_of(session, Tag.SEARCH_FAILED)) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoFaceError("none"), "no_face"),
        (MissingWeights("none"), "missing_weights"),
        (NotIndexed("none"), "not_indexed"),
        (ImageError("cut", reason="truncated"), "truncated"),
        (JobError("no", reason="port_taken"), "port_taken"),
        (OSError(28, "No space left on device"), "storage"),
        (ZeroDivisionError(), "internal_error"),
    ],
)
def test_reasons_are_stable_codes(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_a_cancelled_job_stays_cancelled(shop, job) -> None:
    def handler(shop, hold, job) -> None:
        with session_scope(shop.engine) as session:
            job_rows.cancel_job(session, job.id)
        end(shop, hold, job)

    run_job(shop, job.id, {"search": handler})
    assert state_of(shop.engine, job).state is JobState.CANCELLED


def test_who_lost_the_job_changes_nothing(shop, job) -> None:
    def handler(shop, hold, job) -> None:
        with session_scope(shop.engine) as session:
            session.execute(update(Job).values(lease_until_at=utc_now(), worker="other"))
        end(shop, hold, job)

    run_job(shop, job.id, {"search": handler})
    held = state_of(shop.engine, job)
    assert (held.state, held.worker) == (JobState.RUNNING, "other")


def test_a_database_that_is_away_leaves_the_job_to_be_done(shop, job) -> None:
    def handler(shop, hold, job) -> None:
        raise Unavailable("locked")

    run_job(shop, job.id, {"search": handler})
    assert state_of(shop.engine, job).state is JobState.RUNNING
    with session_scope(shop.engine) as session:
        session.execute(update(Job).values(lease_until_at=utc_now()))
    run_job(shop, job.id, {"search": end})
    assert state_of(shop.engine, job).state is JobState.SUCCEEDED


def test_waiting_jobs_are_handed_over_once(shop, job, tmp_path: Path) -> None:
    queue = JobQueue(f"sqlite:///{tmp_path}/queue.db")
    assert queue_waiting(shop.engine, queue) == 1
    assert queue_waiting(shop.engine, queue) == 0
    assert queue.waiting() == {job.id}


def test_a_job_of_a_dead_process_is_handed_over_at_once(shop, job, tmp_path: Path) -> None:
    queue = JobQueue(f"sqlite:///{tmp_path}/queue.db")
    host, pid, started = this_process().split("/")
    with session_scope(shop.engine) as session:
        dead = f"{host}/{pid}/{int(started) + 1}"  # the number was given to another process
        job_rows.claim_job(session, job.id, dead, lease=timedelta(hours=1))
    assert queue_waiting(shop.engine, queue) == 1


def test_a_job_of_a_living_process_is_left_to_it(shop, job, tmp_path: Path) -> None:
    queue = JobQueue(f"sqlite:///{tmp_path}/queue.db")
    with session_scope(shop.engine) as session:
        job_rows.claim_job(session, job.id, this_process(), lease=timedelta(hours=1))
    assert queue_waiting(shop.engine, queue) == 0
