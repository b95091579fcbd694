"""Which reports are up to date, which are not, and why."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import forensic
from forensic.errors import InputError, UnknownNameError
from forensic.files import read_json, write_json
from pipelines.benchmark.suite.keys import code_key, data_key, digest, weights_key
from pipelines.benchmark.suite.plan import Plan

Word = Literal["fresh", "stale", "missing", "impossible"]


@dataclass(frozen=True)
class State:
    """How a report stands.

    Attributes:
        name: Of the report.
        word: `fresh`; `stale`, made from something that has changed; `missing`, never made;
            `impossible`, it lacks data or weights.
        why: What changed or lacks; empty for a fresh one.
    """

    name: str
    word: Word
    why: str = ""

    @property
    def can_run(self) -> bool:
        """Answer whether it is to be made and can be."""
        return self.word in ("stale", "missing")


class Workshop:
    """A plan, the places of its data, and the folder of its reports.

    Args:
        plan: What to make.
        data: Folder of the plan's data.
        places: Other places, by the name of the data or of a report made elsewhere.
        out: Folder of reports, tables, logs and stamps.
        weights: Folder of weights that do not come with the package.
    """

    def __init__(
        self, plan: Plan, *, data: Path, places: Mapping[str, Path], out: Path, weights: Path
    ) -> None:
        self.plan, self.out, self._weights = plan, out, weights
        self._elsewhere = dict(places)
        self.places = {name: self.folder(name) for name in plan.report}
        self.places |= {name: data / path for name, path in plan.data.items()}
        self.places |= self._elsewhere
        self._data_key = functools.cache(data_key)  # a folder serves many reports

    def is_own(self, name: str) -> bool:
        """Answer whether a report is made here, not elsewhere."""
        return name not in self._elsewhere

    def folder(self, name: str) -> Path:
        """Return where a report lies."""
        return self._elsewhere.get(name, self.out / "reports" / name)

    def log(self, name: str) -> Path:
        """Return where a report's run writes what it says."""
        return self.out / "logs" / f"{name}.log"

    def key(self, name: str) -> dict[str, str]:
        """Return everything that a report depends on.

        Raises:
            OSError: Data cannot be read.
        """
        report = self.plan.report[name]
        parts = {
            "command": report.command,
            "version": forensic.__version__,
            "code": code_key(report.command),
        }
        for used in report.names():
            is_made = used in self.plan.report and self.is_own(used)
            key = digest(self.key(used)) if is_made else self._data_key(self.places[used])
            parts[f"report {used}" if is_made else f"data {used}"] = key
        for stem in report.weights:
            parts[f"weights {stem}"] = weights_key(stem, self._weights) or ""
        return parts

    def stamp(self, name: str, key: Mapping[str, str]) -> None:
        """Record what a report that was just made depends on.

        Raises:
            OSError: The folder cannot be written.
        """
        write_json(self._stamp(name), dict(key))

    def state(self, name: str) -> State:
        """Return how a report stands."""
        if not self.is_own(name):
            lacks = "" if self.folder(name).exists() else f"there is no {self.folder(name)}"
            return State(name, "impossible" if lacks else "fresh", lacks)
        if lacks := self._lacks(name):
            return State(name, "impossible", lacks)
        if not (self._stamp(name).is_file() and self.folder(name).is_dir()):
            return State(name, "missing", "never made")
        made_from, now = read_json(self._stamp(name)), self.key(name)
        parts = sorted({*made_from, *now})
        changed = [part for part in parts if made_from.get(part) != now.get(part)]
        return State(name, "stale" if changed else "fresh", _changes(changed))

    def _stamp(self, name: str) -> Path:
        return self.out / "stamps" / f"{name}.json"

    def _lacks(self, name: str) -> str:
        """Return which data or weights a report lacks, with the remedy."""
        report, lacking = self.plan.report[name], []
        for used in report.names():
            if used in self.plan.report:
                state = self.state(used)
                lacking += [f"{used}: {state.why}"] if state.word == "impossible" else []
            elif used not in self.places:
                lacking.append(f"--at {used}=PATH is not given: {self.plan.given[used]}")
            elif not self.places[used].exists():
                lacking.append(f"{used}: there is no {self.places[used]}; or give --at {used}=PATH")
        lacking += [
            f"no weights {stem}" for stem in report.weights if not weights_key(stem, self._weights)
        ]
        return "; ".join(lacking)


def read_places(entries: Sequence[str], plan: Plan) -> dict[str, Path]:
    """Return places by name from NAME=PATH entries.

    Raises:
        InputError: An entry has another form.
        UnknownNameError: The plan has no such name.
    """
    known = [*plan.data, *plan.given, *plan.report]
    places = {}
    for entry in entries:
        name, equals, path = entry.partition("=")
        if not (equals and path):
            raise InputError(f"--at {entry!r}: write NAME=PATH, e.g. y1=work/y1.toml.")
        if name not in known:
            raise UnknownNameError("data or report", name, known, ())
        places[name] = Path(path)
    return places


def _changes(parts: list[str]) -> str:
    return f"changed: {', '.join(parts)}" if parts else ""
