"""A worker that is killed loses no job, and no job is done twice."""

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from db.models import Candidate, Job, JobState, Role, Search
from db.queries.audit import verify
from db.queries.jobs import claim_job, end_lease
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases import searches
from forensic.cases.audit import Tag
from forensic.jobs.queue import JobQueue, enqueue_committed
from forensic.storage import FileStore
from tests.support.redis import RedisServer
from tests.support.service import actor_of, events_of, fill_gallery, open_case, seal

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 300


def wait_for(what: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert process is None or process.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


@contextmanager
def worker(
    folder: Path, place: str, queue_url: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    queue_url = queue_url or f"sqlite:///{folder}/queue.db"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.doomed_worker", str(folder), place, queue_url],
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def asked(records: Engine, store: FileStore, tmp_path: Path):
    """A search that is asked for and handed to the queue."""
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        probe = seal(session, actor, case, store)
        gallery, _ = fill_gallery(session, store)
        session.info.clear()  # the search alone, not the landmarks
        session.execute(delete(Job))
        search = searches.request(
            session, actor, case.id, gallery_id=gallery.id, probe_ids=[probe.id], fusion="mean"
        )
    enqueue_committed(JobQueue(f"sqlite:///{tmp_path}/queue.db"), session)
    return search


def job_of(records: Engine, job_id: uuid.UUID) -> Job:
    with session_scope(records, read_only=True) as session:
        return get_row(session, Job, job_id)


@pytest.mark.parametrize(("place", "attempts"), [("claimed", 2), ("uncommitted", 2), ("ended", 1)])
def test_a_search_whose_worker_is_killed_is_done_once(
    records: Engine, tmp_path: Path, asked, place: str, attempts: int
) -> None:
    with worker(tmp_path, place) as first:
        wait_for((tmp_path / place).exists, first)
        first.send_signal(signal.SIGKILL)
    with worker(tmp_path, "nowhere") as second:
        wait_for(lambda: job_of(records, asked.job_id).state is JobState.SUCCEEDED, second)
        wait_for((tmp_path / "ready-nowhere").exists, second)
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE_S) == 0
    with session_scope(records) as session:
        assert job_of(records, asked.job_id).attempts == attempts
        assert session.query(Candidate).count() == 3
        assert len(events_of(session, Tag.SEARCH_COMPLETED)) == 1
        assert verify(session).is_sound


def test_a_job_that_kills_every_worker_is_given_up_with_a_reason(
    records: Engine, tmp_path: Path, asked
) -> None:
    for _ in range(3):
        (tmp_path / "claimed").unlink(missing_ok=True)
        with worker(tmp_path, "claimed") as doomed:
            wait_for((tmp_path / "claimed").exists, doomed)
    with worker(tmp_path, "nowhere") as last:
        wait_for(lambda: job_of(records, asked.job_id).state is JobState.FAILED, last)
    job = job_of(records, asked.job_id)
    assert (job.reason_code, job.attempts) == ("abandoned", 3)
    assert "lost 3 times" in (job.detail or "")
    with session_scope(records) as session:
        (event,) = events_of(session, Tag.SEARCH_FAILED)
        assert json.loads(event.payload)["details"]["reason"] == "abandoned"
        assert session.query(Candidate).count() == 0


def test_a_job_that_never_reached_the_queue_is_found(
    records: Engine, tmp_path: Path, asked
) -> None:
    (tmp_path / "queue.db").unlink()
    with worker(tmp_path, "nowhere") as only:
        wait_for(lambda: job_of(records, asked.job_id).state is JobState.SUCCEEDED, only)
    assert job_of(records, asked.job_id).attempts == 1


def test_with_redis_a_killed_workers_search_is_done_once(
    records: Engine, tmp_path: Path, asked: Search, redis: RedisServer
) -> None:
    JobQueue(redis.url).enqueue("search", asked.job_id)
    with worker(tmp_path, "uncommitted", redis.url) as first:
        wait_for((tmp_path / "uncommitted").exists, first)
        first.send_signal(signal.SIGKILL)
    assert JobQueue(redis.url).waiting() == set(), "the message went with the worker"
    with worker(tmp_path, "nowhere", redis.url) as second:
        wait_for(lambda: job_of(records, asked.job_id).state is JobState.SUCCEEDED, second)
        wait_for((tmp_path / "ready-nowhere").exists, second)
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE_S) == 0
    with session_scope(records) as session:
        assert job_of(records, asked.job_id).attempts == 2
        assert len(events_of(session, Tag.SEARCH_COMPLETED)) == 1


def test_a_worker_outlives_the_loss_of_redis_and_all_it_knew(
    records: Engine, tmp_path: Path, asked: Search, redis: RedisServer
) -> None:
    with session_scope(records) as session:
        claim_job(session, asked.job_id, "elsewhere", lease=timedelta(hours=1))
    with worker(tmp_path, "nowhere", redis.url) as only:
        wait_for((tmp_path / "ready-nowhere").exists, only)
        redis.stop()
        with session_scope(records) as session:
            end_lease(session, asked.job_id, "elsewhere")
        redis.start()
        wait_for(lambda: job_of(records, asked.job_id).state is JobState.SUCCEEDED, only)
        only.send_signal(signal.SIGTERM)
        assert only.wait(PATIENCE_S) == 0
    assert job_of(records, asked.job_id).attempts == 2
