"""Processes that examine photos, and what to do when a photo kills one of them."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait

from forensic.cases.intake import Refusal
from forensic.errors import JobError
from forensic.jobs.galleries.examine import Examined, Examiner
from forensic.runtime import keep_freed_memory

Answers = list[Examined | Refusal]

KILLED = Refusal("unreadable", "Reading the file brought the process down.")

_LONE_TRIES = 2
"""How often a photo that was alone with a process that died is tried before it is blamed."""


@dataclass(frozen=True)
class Task:
    """Files under examination."""

    files: Sequence[bytes]
    future: Future[Answers]
    pool: Executor


class ExaminerPool:
    """Examines batches of files in worker processes, in the order asked.

    A damaged file may bring a process down with it, or the system may kill one that takes too
    much memory. Then the files of its batch are examined one by one, and only the one that does
    it again is refused.

    Args:
        make: Makes the examiner; called once in each process, so it must be picklable.
        processes: Number of processes; 0 examines in a thread of this one, and then nothing is
            pickled.
        modules: What the examiner needs and takes long to load. The first pool that has
            processes loads it, once for all processes and for every later pool.
    """

    def __init__(
        self, make: Callable[[], Examiner], *, processes: int, modules: Sequence[str] = ()
    ) -> None:
        self._make, self._processes, self._modules = make, processes, list(modules)
        self._pool = self._start()

    def submit(self, files: Sequence[bytes]) -> Task:
        """Begin to examine some files."""
        try:
            return Task(files, self._pool.submit(_examine, files), self._pool)
        except BrokenProcessPool:
            self._renew(self._pool)
            return Task(files, self._pool.submit(_examine, files), self._pool)

    def result(self, task: Task) -> Answers:
        """Wait for the answers of a task, in the order of its files.

        Raises:
            JobError: Processes die whatever they are given.
        """
        try:
            return task.future.result()
        except BrokenProcessPool:
            self._renew(task.pool)
            return [self._alone(data) for data in task.files]

    def close(self) -> None:
        """Let the processes end; what has not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _alone(self, data: bytes) -> Examined | Refusal:
        for _ in range(_LONE_TRIES):
            task = self.submit([data])
            try:
                return task.future.result()[0]
            except BrokenProcessPool:
                self._renew(task.pool)
        self._check_alive()
        return KILLED

    def _check_alive(self) -> None:
        """Give up where not even an empty task survives.

        Raises:
            JobError: The processes cannot work at all.
        """
        try:
            self.submit([]).future.result()
        except BrokenProcessPool as error:
            raise JobError(
                "The processes that examine photos die before they begin; look for lack of "
                "memory, and try fewer of them.",
                reason="workers_lost",
            ) from error

    def _renew(self, broken: Executor) -> None:
        if broken is self._pool:  # several tasks may tell of the same death
            broken.shutdown(wait=False)
            self._pool = self._start()

    def _start(self) -> Executor:
        if not self._processes:
            return ThreadPoolExecutor(1, initializer=_begin, initargs=(self._make,))
        # Forking this process, with its threads and database connections, is not safe. A server
        # that has only loaded the libraries is forked instead, and serves every later pool.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(self._modules)
        return ProcessPoolExecutor(
            self._processes,
            mp_context=context,
            initializer=_begin_process,
            initargs=(self._make,),
        )


_here = threading.local()
"""What this worker examines with: an examiner, or the error that making one gave."""


def _begin_process(make: Callable[[], Examiner]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"
    keep_freed_memory()
    _begin(make)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)  # the processes are the parallelism


def _begin(make: Callable[[], Examiner]) -> None:
    try:
        _here.examiner, _here.error = make(), None
    except Exception as error:  # raised again with the first task, where it can be reported
        _here.examiner, _here.error = None, error


def _examine(files: Sequence[bytes]) -> Answers:
    if _here.error is not None:
        raise _here.error
    answers: Answers = _here.examiner(files) if files else []
    return answers


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
