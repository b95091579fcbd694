"""A plan of reports whose command is a small program, so that a suite of them takes no time."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.benchmark.suite.plan import Plan, Report
from pipelines.benchmark.suite.states import Workshop

PROGRAM = """
import os, pathlib, sys, time
deed, *rest = sys.argv[1:]
given = dict(zip(rest[::2], rest[1::2]))
out = pathlib.Path(given["--out"])
out.mkdir(parents=True)
(out / "pid").write_text(str(os.getpid()))
text = pathlib.Path(given["--from"]).read_text() if "--from" in given else ""
(out / "made.txt").write_text(text + given.get("--word", ""))
if deed == "fail":
    sys.exit("no luck")
if deed == "sleep":
    time.sleep(600)
"""
FAKE_FORENSIC = (sys.executable, "-c", PROGRAM)

COMMANDS = {
    "first": "copy --from {numbers} --out {out}",
    "second": "copy --from {first}/made.txt --word 2 --out {out}",
    "third": "copy --word 3 --out {out}",
}


def tiny_workshop(folder: Path, commands: dict[str, str] | None = None) -> Workshop:
    """Return a workshop whose data is one file, `numbers`; `second` reads what `first` made."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    numbers = data / "numbers.txt"
    if not numbers.exists():
        numbers.write_text("1")
    reports = {
        name: Report(command=command, weights=("net",))
        for name, command in (commands or COMMANDS).items()
    }
    weights = folder / "weights"
    weights.mkdir(exist_ok=True)
    if not (weights / "net.safetensors").exists():
        (weights / "net.safetensors").write_bytes(b"one")
    plan = Plan(data={"numbers": "numbers.txt"}, given={"judge": "an embedder"}, report=reports)
    return Workshop(plan, data=data, places={}, out=folder / "out", weights=weights)
