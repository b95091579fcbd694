"""The queue hands each committed job to the worker, and a message can do no harm."""

import sqlite3
import uuid
from contextlib import closing

import pytest
from sqlalchemy import Engine

from db.models import Role
from db.queries.jobs import list_waiting_jobs
from db.session import session_scope
from forensic.cases.jobs import JobKind, create
from forensic.errors import JobError
from forensic.jobs.queue import JobQueue, enqueue_committed
from tests.support.service import actor_of


def test_a_job_waits_until_another_process_takes_it_up(queue_url: str) -> None:
    job_id, done = uuid.uuid4(), []
    JobQueue(queue_url).enqueue("search", job_id)
    worker = JobQueue(queue_url, done.append)
    assert worker.waiting() == {job_id}
    huey = worker.consumers()["quick"].huey
    huey.execute(huey.dequeue())
    assert done == [job_id]
    assert worker.waiting() == set()


def test_slow_work_has_a_lane_of_its_own(queue_url: str) -> None:
    queue = JobQueue(queue_url)
    for kind in JobKind:
        queue.enqueue(kind, uuid.uuid4())
    lanes = {lane: consumer.huey for lane, consumer in queue.consumers().items()}
    kinds = {lane: {task.args[0] for task in huey.pending()} for lane, huey in lanes.items()}
    assert kinds["slow"] == {"import", "index", "benchmark"}
    assert kinds["quick"] == set(JobKind) - kinds["slow"]


def test_a_message_is_plain_json(queue_url: str) -> None:
    JobQueue(queue_url).enqueue("search", uuid.uuid4())
    huey = JobQueue(queue_url).consumers()["quick"].huey
    assert bytes(huey.storage.dequeue()).startswith(b'["')


def test_jobs_of_a_transaction_are_handed_over_once(queue_url: str, records: Engine) -> None:
    queue = JobQueue(queue_url)
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        job = create(session, actor, JobKind.SEARCH, {"search_id": "1"})
    enqueue_committed(queue, session)
    enqueue_committed(queue, session)
    assert queue.waiting() == {job.id}
    assert len(queue.consumers()["quick"].huey.pending()) == 1


def test_an_unreachable_queue_loses_no_job(
    records: Engine, queue_url: str, request: pytest.FixtureRequest
) -> None:
    queue = JobQueue(queue_url)
    if queue_url.startswith("redis"):
        request.getfixturevalue("redis").stop()
    else:
        with closing(sqlite3.connect(queue_url.removeprefix("sqlite:///"))) as file:
            file.execute("DROP TABLE task")
    with pytest.raises(JobError, match="cannot be used now") as told:
        queue.enqueue("search", uuid.uuid4())
    assert told.value.reason == "queue"
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


def test_a_process_without_models_takes_up_nothing(queue_url: str) -> None:
    queue = JobQueue(queue_url)
    queue.enqueue("search", uuid.uuid4())
    with pytest.raises(JobError, match="without models"):
        queue._work("search", str(uuid.uuid4()))
