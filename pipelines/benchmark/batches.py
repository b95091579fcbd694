"""Batches of one size, several of them at work at once, and where the time goes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")
BATCH_SIZE = 16
OnDone = Callable[[int], None]


class Clock:
    """Seconds of work by stage, summed over threads that work side by side."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            taken = time.perf_counter() - started
            with self._lock:
                self._seconds[name] = self._seconds.get(name, 0.0) + taken

    def seconds(self) -> dict[str, float]:
        """Return the seconds of every stage so far, in the order in which stages were first met."""
        with self._lock:
            return {name: round(taken, 3) for name, taken in self._seconds.items()}


def batched(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield consecutive parts of at most `BATCH_SIZE` items."""
    for start in range(0, len(items), BATCH_SIZE):
        yield items[start : start + BATCH_SIZE]


def work_on(
    items: Sequence[T], work: Callable[[Sequence[T]], R]
) -> Iterator[tuple[Sequence[T], R]]:
    """Yield each batch of items with what `work` made of it, in order.

    As many batches are at work as torch has threads, each in one thread: reading, aligning and
    drawing then use all cores as well, not the networks alone.

    Args:
        items: What to work on.
        work: Called from several threads; an error in it ends the iteration.
    """
    n_threads = torch.get_num_threads()
    if n_threads == 1:
        yield from ((batch, work(batch)) for batch in batched(items))
        return
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    ahead: deque[tuple[Sequence[T], Future[R]]] = deque()
    try:
        for batch in batched(items):
            ahead.append((batch, pool.submit(work, batch)))
            if len(ahead) > 2 * n_threads:
                first, future = ahead.popleft()
                yield first, future.result()
        for first, future in ahead:
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(n_threads)
