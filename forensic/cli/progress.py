"""A progress bar on stderr, so that results on stdout stay clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def show_progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how many units were done since it was last called.

    Args:
        label: What is being done.
        total: Number of units, None when unknown.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    is_silent = not console.is_terminal  # a log file should hold errors, not bars
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=is_silent) as bar:
        task = bar.add_task(label, total=total)
        yield lambda n: bar.advance(task, n)
