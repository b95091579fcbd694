"""How fast an import goes, and when it will be done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

WINDOW_S = 60.0
"""The rate is that of the last minute: what was fast an hour ago says little about the rest."""


@dataclass(frozen=True)
class Progress:
    """Where an import is.

    Attributes:
        phase: `listing`, `importing` or `publishing`.
        total: Items listed so far.
        done: Items that have ended.
        counts: Item state to the number of items that ended so.
        items_per_s: Of the last minute; None before it can be told.
        remaining_s: At that rate; None while it cannot be told.
        embedding_share: Share of the working time that the embedder was busy, 0 to 1.
        listed: Whether every item of the source is listed.
    """

    phase: str
    total: int
    done: int
    counts: dict[str, int]
    items_per_s: float | None = None
    remaining_s: float | None = None
    embedding_share: float | None = None
    listed: bool = True

    def record(self) -> dict[str, Any]:
        """Return what the job's record keeps of it beside its own columns."""
        values = asdict(self)
        for name in ("total", "done", "counts"):
            del values[name]
        return values


class Pace:
    """Measures the rate at which items end.

    Args:
        clock: Seconds from any origin, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._marks: deque[tuple[float, int]] = deque()

    def mark(self, done: int) -> None:
        """Note that `done` items have ended by now."""
        now = self._clock()
        self._marks.append((now, done))
        while len(self._marks) > 2 and self._marks[1][0] <= now - WINDOW_S:
            self._marks.popleft()

    def items_per_s(self) -> float | None:
        """Return the rate of the last minute; None before the second mark."""
        if len(self._marks) < 2:
            return None
        (first_at, first), (last_at, last) = self._marks[0], self._marks[-1]
        return round((last - first) / (last_at - first_at), 2) if last_at > first_at else None

    def remaining_s(self, left: int) -> float | None:
        """Return how long `left` items will take at that rate; None while it is unknown."""
        rate = self.items_per_s()
        return round(left / rate, 1) if rate else None

    def share(self, busy_s: float) -> float:
        """Return what share of the time since the beginning some seconds are, 0 to 1."""
        elapsed = self._clock() - self._started
        return round(min(1.0, busy_s / elapsed), 3) if elapsed > 0 else 0.0
