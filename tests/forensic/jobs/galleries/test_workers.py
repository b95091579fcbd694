"""A photo that kills the process that looks at it costs itself, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from forensic.cases.intake import IntakePolicy, Refusal
from forensic.errors import JobError, WeightsError
from forensic.jobs.galleries.examine import Examined
from forensic.jobs.galleries.workers import ExaminerPool
from tests.support.words import WordExaminer, make_word_examiner

MAKE = partial(make_word_examiner, IntakePolicy())


def without_weights() -> WordExaminer:
    raise WeightsError("There are no weights.")


def dying() -> WordExaminer:
    os._exit(1)


def told(answers):
    return ["face" if isinstance(a, Examined) else a.reason for a in answers]


def test_only_the_file_that_kills_is_refused() -> None:
    pool = ExaminerPool(MAKE, processes=1)
    try:
        tasks = [
            pool.submit([b"face 1", b"die now", b"no_face 2"]),
            pool.submit([b"face 3"]),  # in line behind it, with the same process
        ]
        assert [told(pool.result(task)) for task in tasks] == [
            ["face", "unreadable", "no_face"],
            ["face"],
        ]
    finally:
        pool.close()


def test_what_prevents_an_examiner_is_told_and_blames_no_file() -> None:
    for processes in (0, 1):
        pool = ExaminerPool(without_weights, processes=processes)
        try:
            with pytest.raises(WeightsError, match="no weights"):
                pool.result(pool.submit([b"face 1"]))
        finally:
            pool.close()


def test_processes_that_cannot_live_are_told_and_blame_no_file() -> None:
    pool = ExaminerPool(dying, processes=1)
    try:
        with pytest.raises(JobError, match="die before they begin"):
            pool.result(pool.submit([b"face 1"]))
    finally:
        pool.close()


def test_in_a_thread_the_answers_are_the_same() -> None:
    pool = ExaminerPool(MAKE, processes=0)
    answers = pool.result(pool.submit([b"face 1", b"blurred 2"]))
    pool.close()
    assert isinstance(answers[0], Examined)
    assert answers[1] == Refusal("blurred", "It says blurred.")


ORPHANS = """
import sys, time
from tests.support.words import make_word_examiner
from forensic.cases.intake import IntakePolicy
from forensic.jobs.galleries.workers import ExaminerPool
from functools import partial
if __name__ == "__main__":
    pool = ExaminerPool(partial(make_word_examiner, IntakePolicy()), processes=1)
    pool.result(pool.submit([b"face 1"]))
    sys.stdout.write(str(next(iter(pool._pool._processes))) + "\\n")
    sys.stdout.flush()
    time.sleep(600)
"""


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    root = Path(__file__).resolve().parents[4]
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(worker)


PRELOADED = """
import sys
from forensic.cases.intake import Refusal
from forensic.jobs.galleries.workers import ExaminerPool

def make():
    there = str("wave" in sys.modules)  # a module that nothing else needs
    return lambda files: [Refusal("unreadable", there) for _ in files]

if __name__ == "__main__":
    for _ in range(2):
        pool = ExaminerPool(make, processes=1, modules=sys.argv[1:])
        sys.stdout.write(pool.result(pool.submit([b"face 1"]))[0].detail + "\\n")
        pool.close()
"""


@pytest.mark.parametrize(("modules", "told"), [([], "False"), (["wave"], "True")])
def test_what_an_examiner_needs_is_there_before_a_process_begins(
    tmp_path: Path, modules: list[str], told: str
) -> None:
    script = tmp_path / "preloaded.py"  # a server of its own: this process may have one already
    script.write_text(PRELOADED)
    ended = subprocess.run(
        [sys.executable, str(script), *modules],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[4])},
    )
    assert ended.stdout.split() == [told, told]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
