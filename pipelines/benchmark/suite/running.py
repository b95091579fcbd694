"""Making what is out of date: one process a report, whatever becomes of the others."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forensic.errors import InputError
from pipelines.benchmark.suite.plan import OUT, fill
from pipelines.benchmark.suite.states import State, Workshop

FORENSIC = (sys.executable, "-c", "from pipelines.cli import main; main()")
HAS_CACHE = ("pairs", "cuhk", "lfw", "verify", "heldout", "fusion", "ablation")
"""Commands of `forensic benchmark` that take --cache."""

GRACE_S = 10.0

Say = Callable[[str], None]


def shout(line: str) -> None:
    """Print a line at once, so that whoever waits sees it."""
    print(line, flush=True)


@dataclass(frozen=True)
class Done:
    """What became of one report.

    Attributes:
        name: Of the report.
        failed: Why it could not be made; empty if it was.
        seconds: How long it took.
    """

    name: str
    failed: str
    seconds: float


@contextmanager
def alone_in(out: Path) -> Iterator[int]:
    """Yield the descriptor of a lock on a folder of reports.

    Runs inherit it, so that the folder stays locked while one outlives a killed suite.

    Raises:
        InputError: Another suite, or a run that it left behind, is at work there.
    """
    out.mkdir(parents=True, exist_ok=True)
    lock = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise InputError(f"Another run is at work in {out}. Wait for it or end it.") from error
    try:
        yield lock
    finally:
        os.close(lock)


def make_all(
    workshop: Workshop,
    names: Sequence[str],
    *,
    cache: Path,
    force: bool = False,
    max_minutes: float | None = None,
    say: Say = shout,
) -> list[Done]:
    """Make every report that is out of date, in the plan's order, and return what became of them.

    A report that fails does not end the others. When the time is up the running one is ended;
    what it embedded stays in the cache, so that the next run goes on from there.

    Args:
        workshop: Plan and places.
        names: Which reports.
        cache: Folder for embeddings, shared by all.
        force: Make fresh ones as well.
        max_minutes: When to stop.
        say: Told of every report.

    Raises:
        InputError: Another run is at work in the same folder.
    """
    deadline = time.monotonic() + 60 * max_minutes if max_minutes else float("inf")
    done = []
    with alone_in(workshop.out) as lock:
        shutil.rmtree(_unfinished(workshop), ignore_errors=True)
        for name in names:
            state = workshop.state(name)
            is_wanted = state.can_run or (force and workshop.is_own(name) and state.word == "fresh")
            if not is_wanted or not _can_read(workshop, name):
                say(told(state))
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                say(f"{name}: the time is up")
                continue
            say(f"{name}: {state.why or 'made again'} …")
            done.append(_make(workshop, name, cache=cache, seconds=left, lock=lock))
            say(f"{name}: {done[-1].failed or 'made'}, {done[-1].seconds:.0f} s")
    return done


def told(state: State) -> str:
    """Return a line about a report."""
    return f"{state.word:11} {state.name:28} {state.why}".rstrip()


def _can_read(workshop: Workshop, name: str) -> bool:
    """Answer whether all reports that a report reads are up to date."""
    read = set(workshop.plan.report[name].names()) & set(workshop.plan.report)
    return all(workshop.state(used).word == "fresh" for used in read)


def _unfinished(workshop: Workshop) -> Path:
    return workshop.out / "unfinished"


def _make(workshop: Workshop, name: str, *, cache: Path, seconds: float, lock: int) -> Done:
    """Run one command into a folder of its own, which takes the report's place if it succeeds."""
    started = time.monotonic()
    key = workshop.key(name)  # as it is now: what changes meanwhile must count as a change
    draft = _unfinished(workshop) / name
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    words = workshop.plan.report[name].words()
    command = fill(words, {**workshop.places, OUT: draft})
    if words[0] == "benchmark" and words[1] in HAS_CACHE:
        command += ["--cache", str(cache)]
    failed = _run(command, log=workshop.log(name), seconds=seconds, lock=lock)
    if not failed and not draft.is_dir():
        failed = "the command wrote nothing"
    if not failed:
        folder = workshop.folder(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(folder)
        workshop.stamp(name, key)
    return Done(name, failed, time.monotonic() - started)


def _run(command: Sequence[str], *, log: Path, seconds: float, lock: int) -> str:
    """Run a command of `forensic`; return why it failed, or nothing."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [*FORENSIC, *command], stdout=file, stderr=subprocess.STDOUT, pass_fds=(lock,)
        )
        try:
            code = process.wait(timeout=None if seconds == float("inf") else seconds)
        except subprocess.TimeoutExpired:
            return "the time is up"
        finally:
            _end(process)
    if code == 0:
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"failed with {code}: {lines[-1] if lines else 'it said nothing'} (see {log})"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
