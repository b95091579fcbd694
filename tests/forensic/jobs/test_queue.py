"""The queue hands each committed job to the worker, and a message can do no harm."""

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.models import Role
from db.queries.jobs import list_waiting_jobs
from db.session import session_scope
from forensic.cases.jobs import JobKind, create
from forensic.errors import JobError
from forensic.jobs.queue import JobQueue, enqueue_committed
from tests.support.service import actor_of


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/queue.db"


def test_a_job_waits_until_another_process_takes_it_up(url: str) -> None:
    job_id, done = uuid.uuid4(), []
    JobQueue(url).enqueue("search", job_id)
    worker = JobQueue(url, done.append)
    assert worker.waiting() == {job_id}
    huey = worker.consumers()["quick"].huey
    huey.execute(huey.dequeue())
    assert done == [job_id]
    assert worker.waiting() == set()


def test_slow_work_has_a_lane_of_its_own(url: str) -> None:
    queue = JobQueue(url)
    for kind in JobKind:
        queue.enqueue(kind, uuid.uuid4())
    lanes = {lane: consumer.huey for lane, consumer in queue.consumers().items()}
    kinds = {lane: {task.args[0] for task in huey.pending()} for lane, huey in lanes.items()}
    assert kinds["slow"] == {"import", "index", "benchmark"}
    assert kinds["quick"] == set(JobKind) - kinds["slow"]


def test_a_message_is_plain_json(url: str) -> None:
    JobQueue(url).enqueue("search", uuid.uuid4())
    huey = JobQueue(url).consumers()["quick"].huey
    assert bytes(huey.storage.dequeue()).startswith(b'["')


def test_jobs_of_a_transaction_are_handed_over_once(url: str, records: Engine) -> None:
    queue = JobQueue(url)
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        job = create(session, actor, JobKind.SEARCH, {"search_id": "1"})
    enqueue_committed(queue, session)
    enqueue_committed(queue, session)
    assert queue.waiting() == {job.id}
    assert len(queue.consumers()["quick"].huey.pending()) == 1


def test_an_unreachable_queue_loses_no_job(records: Engine, url: str) -> None:
    queue = JobQueue(url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        file.execute("DROP TABLE task")
    with session_scope(records) as session:
        create(session, actor_of(session, Role.INVESTIGATOR), JobKind.SEARCH, {"search_id": "1"})
    enqueue_committed(queue, session)
    with session_scope(records) as session:
        assert [job.kind for job in list_waiting_jobs(session)] == ["search"]


@pytest.mark.parametrize("url", ["mysql://secret@host/0", "", "queue.db"])
def test_other_queues_are_refused_without_repeating_the_url(url: str) -> None:
    with pytest.raises(JobError, match="must be sqlite:///file or redis") as refused:
        JobQueue(url)
    assert "secret" not in str(refused.value)
    assert refused.value.reason == "queue"


def test_a_process_without_models_takes_up_nothing(url: str) -> None:
    queue = JobQueue(url)
    queue.enqueue("search", uuid.uuid4())
    with pytest.raises(JobError, match="without models"):
        queue._work("search", str(uuid.uuid4()))
