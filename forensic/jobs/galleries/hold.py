"""One worker's hold on a running job: every write proves it, and outlives a database away."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.errors import Conflict, Unavailable
from db.models import Job, JobState
from db.queries import jobs
from db.queries.rows import get_row
from db.session import session_scope
from forensic.errors import JobError

T = TypeVar("T")

CANCELLED, TAKEN = "cancelled", "taken"
"""Reasons of the `JobError` that ends the work of a worker whose job is not its own any more."""

PATIENCE_S = 60.0
"""How long a database may be away before the work is given up; it can go on later."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0


class Hold:
    """A job, held by one worker.

    Args:
        engine: The records.
        job_id: The job; `worker` has claimed it.
        worker: The holder's name.
        lease: For how long the hold lasts when it is not renewed.
    """

    def __init__(self, engine: Engine, job_id: uuid.UUID, worker: str, *, lease: timedelta) -> None:
        self.engine, self.job_id, self.worker = engine, job_id, worker
        self._lease = lease

    def write(self, act: Callable[[Session], T]) -> T:
        """Return what `act` gives in a transaction of its own, tried again while it cannot be.

        A commit whose answer was lost may have been done: `act` must bear to be done twice.

        Raises:
            JobError: The job was cancelled (`cancelled`), or has gone to another (`taken`).
            Unavailable: The database stayed away.
        """
        return self._patiently(act, read_only=False)

    def read(self, ask: Callable[[Session], T]) -> T:
        """Return what `ask` gives in a transaction that only reads.

        Raises:
            Unavailable: The database stayed away.
        """
        return self._patiently(ask, read_only=True)

    def job(self) -> Job:
        """Return the job as it is now.

        Raises:
            NotFound: There is no such job.
            Unavailable: The database stayed away.
        """
        return self.read(lambda session: get_row(session, Job, self.job_id))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lease in the background for as long as the block lasts."""
        done = threading.Event()
        beat = threading.Thread(target=self._renew_until, args=(done,), daemon=True)
        beat.start()
        try:
            yield
        finally:
            done.set()
            beat.join()

    def _renew_until(self, done: threading.Event) -> None:
        while not done.wait(self._lease.total_seconds() / 3):
            try:
                with session_scope(self.engine) as session:
                    jobs.renew_lease(session, self.job_id, self.worker, lease=self._lease)
            except Unavailable:
                continue
            except Conflict:
                return  # the next write says so where it can be acted upon

    def _patiently(self, act: Callable[[Session], T], *, read_only: bool) -> T:
        deadline, pause_s = time.monotonic() + PATIENCE_S, _FIRST_PAUSE_S
        while True:
            try:
                with session_scope(self.engine, read_only=read_only) as session:
                    return act(session)
            except Unavailable:
                if time.monotonic() + pause_s > deadline:
                    raise
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            except Conflict as error:
                self._explain(error)
                raise

    def _explain(self, error: Conflict) -> None:
        """Say why a write was refused, if it is because the job is not ours any more.

        Raises:
            JobError: It was cancelled, or another worker has it.
        """
        job = self.job()
        if job.state is JobState.CANCELLED:
            raise JobError(f"Job {job.id} was cancelled.", reason=CANCELLED) from error
        if job.state is not JobState.RUNNING or job.worker != self.worker:
            raise JobError(
                f"Job {job.id} is {job.state}, and not held by {self.worker} any more.",
                reason=TAKEN,
            ) from error


def this_process() -> str:
    """Return a name for this process that no other one, before or after it, has."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid()) or 0}"


def is_gone(worker: str) -> bool:
    """Answer whether a name of `this_process` is that of a dead process of this machine.

    False where that cannot be told: then its lease has to run out.
    """
    host, _, rest = worker.partition("/")
    pid, _, started = rest.partition("/")
    if host != socket.gethostname() or not (pid.isdigit() and started.isdigit()):
        return False
    return Path("/proc/self").exists() and _started(int(pid)) != int(started)


def _started(pid: int) -> int | None:
    """Return when a process began, in ticks since the machine did; None if there is none."""
    try:
        # The name of the program, in brackets, may itself hold spaces and brackets.
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if facts[0] == "Z" else int(facts[19])
