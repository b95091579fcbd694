"""The worker process: models loaded once, two lanes of jobs, a watch for lost ones, previews."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType

from forensic.jobs.preview import PreviewServer
from forensic.jobs.queue import JobQueue
from forensic.jobs.tasks import Handler, Workshop, queue_waiting, run_job, watch_for_lost_jobs

LOOK_EVERY_S = 5.0
"""Pause between two looks for jobs that nobody has."""

_log = logging.getLogger(__name__)


class Worker:
    """Does the jobs of one service until it is told to stop.

    Args:
        shop: What it works with.
        queue_url: Where jobs are announced.
        handlers: What it can do.
        previews: Answers the drawing board; None where nobody asks.
        look_every_s: Pause between two looks for lost jobs.

    Raises:
        JobError: The queue cannot be opened.
    """

    def __init__(
        self,
        shop: Workshop,
        *,
        queue_url: str,
        handlers: Mapping[str, Handler],
        previews: PreviewServer | None = None,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._shop, self._previews = shop, previews
        self._look_every_s = look_every_s
        self._queue = JobQueue(queue_url, lambda job_id: run_job(shop, job_id, handlers))
        self._stop = threading.Event()

    def run(self, *, on_ready: Callable[[], None] | None = None) -> None:
        """Work until SIGTERM or SIGINT; the jobs in hand then have `GRACE_S` seconds to end.

        What is not done by then, or by a second signal, is taken up again by the next worker.

        Args:
            on_ready: Called once when jobs are being taken up.

        Raises:
            Unavailable: The database is out of reach at the start.
            JobError: The queue is.
        """
        consumers = list(self._queue.consumers().values())
        queue_waiting(self._shop.engine, self._queue)
        watch = threading.Thread(
            target=watch_for_lost_jobs,
            args=(self._shop.engine, self._queue, self._stop),
            kwargs={"every_s": self._look_every_s},
            daemon=True,
        )
        for consumer in consumers:
            consumer.start()
        self._obey_signals()  # after the consumers, which set handlers of their own
        watch.start()
        if self._previews is not None:
            self._previews.start()
        if on_ready is not None:
            on_ready()
        while not self._stop.wait(1):
            for consumer in consumers:
                consumer.check_worker_health()
        _log.info("finishing the jobs in hand")
        for consumer in consumers:
            consumer.stop(graceful=False)
        for consumer in consumers:
            consumer.stop(graceful=True)
        if self._previews is not None:
            self._previews.stop()

    def stop(self) -> None:
        """End `run` once the jobs in hand are done, or their time is over."""
        self._stop.set()

    def _obey_signals(self) -> None:
        def obey(number: int, _frame: FrameType | None) -> None:
            signal.signal(number, signal.SIG_DFL)
            self.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, obey)
