"""The queue between the web and the worker: which job is next, and nothing else.

A message holds the kind and the id of a job; what is to be done, and how it went, stands in the
job's row. So a lost message delays a job, and a repeated one does nothing: the row decides.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from huey import Huey, PriorityRedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy.orm import Session

from forensic.cases.jobs import CREATED, JobKind
from forensic.errors import JobError

SLOW_KINDS = frozenset({JobKind.IMPORT, JobKind.INDEX, JobKind.BENCHMARK})
"""Kinds that take minutes or hours; they have a lane of their own, so that searches pass them."""

GRACE_S = 30.0
"""How long a stopping worker waits for the jobs in hand before it leaves them to the next one."""

_LANES = {"quick": 0.05, "slow": 0.5}
"""Name of each lane to the longest pause, in seconds, between two looks while it is empty: somebody
waits for a search. Redis needs no looks, it tells."""

_FIRST_PAUSE_S = 0.01

_log = logging.getLogger(__name__)


class JobQueue:
    """The queue of one service, at its writing end and, in the worker, at its reading end.

    Args:
        url: `sqlite:///file` or `redis://host/number`.
        run: What the worker does with a job's id; the web gives none.

    Raises:
        JobError: The URL names no supported queue, or it cannot be opened.
    """

    def __init__(self, url: str, run: Callable[[uuid.UUID], None] | None = None) -> None:
        self._run = run
        self._lanes = {lane: _open(url, lane) for lane in _LANES}
        self._tasks = {
            lane: huey.task(name="run_job")(self._work) for lane, huey in self._lanes.items()
        }

    def enqueue(self, kind: str, job_id: uuid.UUID) -> None:
        """Hand a job whose row is committed to the worker.

        Raises:
            JobError: The queue is out of reach.
        """
        with _told():
            self._tasks[_lane_of(kind)](kind, str(job_id))

    def waiting(self) -> set[uuid.UUID]:
        """Return the jobs that were handed over and not taken up yet.

        Raises:
            JobError: The queue is out of reach.
        """
        with _told():
            messages = [task for huey in self._lanes.values() for task in huey.pending()]
        return {uuid.UUID(task.args[1]) for task in messages}

    def consumers(self) -> dict[str, Consumer]:
        """Return what takes up jobs, one thread for each lane."""
        return {
            lane: Consumer(
                huey,
                workers=1,
                periodic=False,
                initial_delay=_FIRST_PAUSE_S,
                max_delay=_LANES[lane],
                shutdown_timeout=GRACE_S,
                graceful_signal="TERM",
            )
            for lane, huey in self._lanes.items()
        }

    def _work(self, kind: str, job_id: str) -> None:
        if self._run is None:
            raise JobError(f"A {kind} job was read by a process without models.", reason="queue")
        self._run(uuid.UUID(job_id))


def enqueue_committed(queue: JobQueue, session: Session) -> None:
    """Hand over the jobs that a session has made, after its commit.

    An unreachable queue is logged only: the rows are there, and the worker looks for them.
    """
    for kind, job_id in session.info.pop(CREATED, []):
        try:
            queue.enqueue(kind, job_id)
        except JobError:
            _log.exception("job %s waits until the worker looks for it", job_id)


class _JsonSerializer(Serializer):  # type: ignore[misc]
    """Messages as JSON: reading one can run no code, unlike the library's pickles."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(data))


@contextmanager
def _told() -> Iterator[None]:
    """Turn what a queue out of reach raises into `JobError`; each storage has errors of its own."""
    try:
        yield
    except Exception as error:
        raise JobError(
            f"The queue cannot be used now: {error}. Check that it runs and may be reached; what "
            "waits is in the records.",
            reason="queue",
        ) from error


def _lane_of(kind: str) -> str:
    return "slow" if kind in SLOW_KINDS else "quick"


def _open(url: str, lane: str) -> Huey:
    name = f"forensic-{lane}"
    options = {"results": False, "serializer": _JsonSerializer()}
    if url.startswith("sqlite:///"):
        try:
            return SqliteHuey(name, filename=url.removeprefix("sqlite:///"), **options)
        except sqlite3.Error as error:
            raise JobError(
                f"The queue cannot be opened: {error}. Check its folder.", reason="queue"
            ) from error
    if url.startswith(("redis://", "rediss://")):
        try:
            return PriorityRedisHuey(name, url=url, **options)
        except ImportError as error:
            raise JobError(
                "A queue in Redis needs the package redis: install it, or use sqlite:///file.",
                reason="queue",
            ) from error
    # The URL is not repeated: it may hold a password.
    raise JobError("The queue URL must be sqlite:///file or redis://host/number.", reason="queue")
