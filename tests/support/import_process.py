"""Imports in processes that can be killed: everything is loaded once, each import is a fork.

Run as a module with a database URL and a folder; then, for each line `JOB PROCESSES` read, it
forks a process that does the import, writes that process's number, and, when it has ended, how.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
import uuid
from pathlib import Path
from typing import IO

from sqlalchemy import event

from db.models import Job, JobState
from db.queries import jobs
from db.queries.rows import get_row
from db.session import open_engine, session_scope
from forensic.jobs.galleries import imports
from forensic.storage import FileStore
from tests.support.imports import LEASE, word_intake

SMALL_BATCH = 4


class ImportProcesses:
    """Starts imports of one database, one at a time, for others to kill."""

    def __init__(self, url: str, base: Path) -> None:
        command = [sys.executable, "-m", "tests.support.import_process", url, str(base)]
        self._nursery = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )

    def start(self, job_id: uuid.UUID, *, processes: int = 0) -> int:
        """Begin an import and return the number of its process."""
        stdin: IO[str] = self._nursery.stdin  # type: ignore[assignment]
        stdin.write(f"{job_id} {processes}\n")
        stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """Return how the import ended: 0, an exit code, or minus the signal that killed it."""
        return int(self._line())

    def close(self) -> None:
        """End the nursery."""
        self._nursery.communicate(timeout=60)

    def _line(self) -> str:
        stdout: IO[str] = self._nursery.stdout  # type: ignore[assignment]
        return stdout.readline()


def work(url: str, base: Path, job_id: uuid.UUID, processes: int) -> None:
    """Claim and do one import, as a worker would."""
    imports.BATCH_SIZE = SMALL_BATCH
    engine = open_engine(url, busy_timeout_s=60)
    # What a killed process wrote stays written; only a power cut makes waiting for the disk
    # worth its time, which is most of the time of so small an import.
    os.fsync = lambda _: None  # type: ignore[assignment]
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
    with session_scope(engine) as session:
        if get_row(session, Job, job_id).state is JobState.SUCCEEDED:
            return  # killed after its last commit: there is nothing left to do
        jobs.claim_job(session, job_id, "w", lease=LEASE, max_attempts=10**6)
    imports.run_import(
        engine,
        job_id,
        worker="w",
        lease=LEASE,
        intake=word_intake(processes=processes),
        store=FileStore(str(base / "files")),
        folder=base / "galleries",
        publish_every_s=0.1,
    )


def main(url: str, base: Path) -> None:
    """Fork an import for each line of the standard input."""
    for line in sys.stdin:
        job_id, processes = line.split()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                work(url, base, uuid.UUID(job_id), int(processes))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
