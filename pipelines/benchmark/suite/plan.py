"""A plan of reports: which commands make them, from what, and which tables show them.

A plan is a TOML file. `{NAME}` in a command stands for data, for another report's folder, or, as
`{out}`, for the report's own folder. `pipelines/reports.toml` is the plan of this project.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field

from forensic.errors import RecipeError, UnknownNameError
from forensic.toml import TomlModel, read_toml_model

PLAN = Path(__file__).parents[2] / "reports.toml"
"""The plan that comes with the package."""

OUT = "out"
_NAME = re.compile(r"\{([a-z0-9-]+)\}")


class Report(TomlModel):
    """One command and what it needs."""

    command: str = Field(description="Words after `forensic`; {out} is its own folder.")
    weights: tuple[str, ...] = Field((), description="Stems of the weights files that it uses.")

    def words(self) -> list[str]:
        """Return the command word by word, names not yet replaced."""
        return shlex.split(self.command)

    def names(self) -> list[str]:
        """Return the data and reports that the command reads, in order."""
        return [name for name in dict.fromkeys(_NAME.findall(self.command)) if name != OUT]

    def shown(self) -> str:
        """Return the command as a page shows it: names in capitals instead of places."""
        return "forensic " + _NAME.sub(lambda match: match[1].upper(), self.command)


class Row(TomlModel):
    """One set of probes of a table."""

    label: str
    file: str = Field(description="REPORT/FILE; FILE lies in the folder of the report.")

    @property
    def report(self) -> str:
        """Return the name of the report that holds the file."""
        return self.file.partition("/")[0]


class Table(TomlModel):
    """One table of a page."""

    kind: str
    rows: tuple[Row, ...] = Field(min_length=1)
    methods: tuple[str, ...] = Field((), description="Only these, in this order.")

    def reports(self) -> list[str]:
        """Return the reports that the table shows."""
        return list(dict.fromkeys(row.report for row in self.rows))


class CardTable(Table):
    """One table of a model card; its title may hold {probes} and {gallery}."""

    title: str
    keep: tuple[str, ...] = Field((), description="Rows written by hand that stay.")


class Plan(TomlModel):
    """Everything that a plan file says."""

    data: dict[str, str] = Field(description="Path below the data folder, by name.")
    given: dict[str, str] = Field({}, description="By name, what must be told where it lies.")
    report: dict[str, Report]
    table: dict[str, Table] = Field({})
    card: dict[str, tuple[CardTable, ...]] = Field({})

    def needed(self, chosen: tuple[str, ...]) -> list[str]:
        """Return the chosen reports, or all, and the reports these read, in the plan's order.

        Raises:
            UnknownNameError: The plan has no such report.
        """
        for name in chosen:
            if name not in self.report:
                raise UnknownNameError("report", name, list(self.report), ())
        wanted = set(chosen or self.report)
        for name in reversed(self.report):  # a report reads earlier ones only
            if name in wanted:
                wanted |= set(self.report[name].names()) & set(self.report)
        return [name for name in self.report if name in wanted]


def read_plan(path: Path) -> Plan:
    """Read and check a plan.

    Raises:
        RecipeError: It cannot be read, holds unknown keys, or names what it does not define.
    """
    plan = read_toml_model(path, Plan, what="The plan")
    for fault in _faults(plan):
        raise RecipeError(f"The plan {path}: {fault}.")
    return plan


def fill(words: list[str], places: Mapping[str, Path]) -> list[str]:
    """Return a command's words with the places of its names."""
    return [_NAME.sub(lambda match: str(places[match[1]]), word) for word in words]


def _faults(plan: Plan) -> Iterator[str]:
    """Yield what is wrong with the names of a plan."""
    known = [*plan.data, *plan.given]
    for name, report in plan.report.items():
        if name in known or name == OUT:
            yield f"the name {name!r} is given twice"
        for used in report.names():
            if used not in known:
                yield f"report {name!r} reads {{{used}}}, which is defined nowhere before it"
        if f"{{{OUT}}}" not in report.command:
            yield f"report {name!r} does not say where {{out}} goes"
        known.append(name)
    tables = [
        *plan.table.items(),
        *((of, table) for of, all_ in plan.card.items() for table in all_),
    ]
    for name, table in tables:
        for report_name in table.reports():
            if report_name not in plan.report:
                yield f"table {name!r} shows {report_name!r}, which is no report"
