"""How numbers are written, the same way everywhere, and the report's tables as CSV."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensic.files import atomic_write
from forensic.reports.record import BenchmarkReport, ComparisonRecord
from forensic.reports.sections import (
    CllrRecord,
    CohortRecord,
    GrowthPoint,
    MeanRecord,
    OperatingRecord,
    QualityRecord,
    StrictModel,
)

Table = tuple[Sequence[str], list[Sequence[Any]]]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def moment(instant: datetime) -> str:
    """Return an instant to the second, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def percent(rate: float | None) -> str:
    """Return a rate as a percentage with one decimal; never 100.0 or 0.0 for less or more.

    Example:
        >>> percent(0.5), percent(1), percent(0.99999), percent(0.00001), percent(None)
        ('50.0 %', '100.0 %', '>99.9 %', '<0.1 %', '–')
    """
    if rate is None:
        return "–"
    if 0 < rate < 0.0005:
        return "<0.1 %"
    if 0.9995 <= rate < 1:
        return ">99.9 %"
    return f"{100 * rate:.1f} %"


def interval(ends: Sequence[float] | None) -> str:
    """Return an interval of rates in percent.

    Example:
        >>> interval((0.9638, 1.0))
        '96.4–100.0 %'
    """
    if ends is None:
        return "–"
    return f"{100 * ends[0]:.1f}–{100 * ends[1]:.1f} %"


def p_value(p: float | None) -> str:
    """Return a p-value with two digits, or a bound where more would be false precision.

    Example:
        >>> p_value(0.034), p_value(0.5), p_value(0.0004), p_value(3e-18), p_value(1.0)
        ('0.034', '0.50', '0.0004', '<0.0001', '1')
    """
    if p is None:
        return "–"
    if p < 1e-4:
        return "<0.0001"
    if p >= 0.9995:
        return "1"
    if 0.0495 <= p < 0.0505:
        return f"{p:.4f}"  # two digits would hide on which side of 5 % it lies
    digits = max(2, 1 - math.floor(math.log10(p))) if p < 0.1 else 2
    return f"{p:.{min(digits, 4)}f}"


def count(number: int | None) -> str:
    """Return a count with thin spaces between thousands, as print does.

    Example:
        >>> count(13233).replace(chr(0x202F), "_"), count(None)
        ('13_233', '–')
    """
    return "–" if number is None else f"{number:,}".replace(",", "\u202f")


def points(difference: float) -> str:
    """Return a difference of two rates in percentage points, with its sign.

    Example:
        >>> points(-0.061), points(0.0)
        ('−6.1 pp', '0.0 pp')
    """
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    return f"{sign}{100 * abs(difference):.1f} pp"


def ratio(value: float | None) -> str:
    """Return a number with two decimals.

    Example:
        >>> ratio(-1.204), ratio(0.0), ratio(None)
        ('−1.20', '0.00', '–')
    """
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def decimal(value: float | None, digits: int = 2) -> str:
    """Return a number with so many decimals.

    Example:
        >>> decimal(21.4361, 2), decimal(-0.05, 4), decimal(None)
        ('21.44', '−0.0500', '–')
    """
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def similarity(value: float | None) -> str:
    """Return a threshold on similarities with three decimals; none means that all reach it.

    Example:
        >>> similarity(0.51249), similarity(None)
        ('0.512', 'none')
    """
    return "none" if value is None else f"{value:.3f}".replace("-", "−")


def write_tables(report: BenchmarkReport, folder: Path) -> None:
    """Write the report's tables as CSV: scores, comparisons, ranks, failures.

    Rates are between 0 and 1, unrounded; an empty rank is a failure to enrol.

    Raises:
        OSError: The folder cannot be written.
    """
    for name, (header, rows) in _tables(report).items():
        with atomic_write(folder / name, "w") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([safe_cell(cell) for cell in header])
            writer.writerows([safe_cell(cell) for cell in row] for row in rows)


def safe_cell(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers stay as they are.

    Text from file names may begin with a sign that starts a formula; an apostrophe before it
    makes it text.

    Example:
        >>> safe_cell("=1+1"), safe_cell("p01"), safe_cell(-0.5)
        ("'=1+1", 'p01', -0.5)

    Source:
        OWASP, CSV Injection.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def _tables(report: BenchmarkReport) -> dict[str, Table]:
    methods = report.methods
    probes = next(iter(methods.values())).ranks
    compared = list(ComparisonRecord.model_fields)
    return {
        "scores.csv": (
            ("method", "rank", "cms", "ci95_low", "ci95_high", "p_vs_chance", "probes", "gallery"),
            [
                (name, rank, rate, *method.cms_ci95[rank], method.cms_p_vs_chance[rank],
                 report.probes, report.gallery)
                for name, method in methods.items()
                for rank, rate in method.cms.items()
            ],
        ),
        "comparisons.csv": (
            compared,
            [[getattr(row, field) for field in compared] for row in report.comparisons],
        ),
        "ranks.csv": (
            ("probe", *methods),
            [(probe, *(method.ranks[probe] for method in methods.values())) for probe in probes],
        ),
        "failures.csv": (
            ("role", "name", "reason"),
            [(row.role, row.name, row.reason) for row in report.failures],
        ),
        **_optional_tables(report),
    }  # fmt: skip


def _optional_tables(report: BenchmarkReport) -> dict[str, Table]:
    """Return the tables of those parts that the report has."""
    tables: dict[str, Table] = {}
    if report.open_set:
        fields = list(OperatingRecord.model_fields)
        tables["open_set.csv"] = _flat(
            fields, {name: method.points for name, method in report.open_set.methods.items()}
        )
    if report.quality:
        tables["quality.csv"] = _quality(report.quality)
    if report.growth:
        tables["growth.csv"] = _flat(list(GrowthPoint.model_fields), report.growth.methods)
    if report.cohorts:
        fields = list(CohortRecord.model_fields)
        tables["cohorts.csv"] = (
            ("column", *_flat_head(fields)),
            [
                (part.column, *row)
                for part in report.cohorts
                for row in _flat(fields, {part.method: part.cohorts})[1]
            ],
        )
    if report.likelihood:
        fields = [field for field in CllrRecord.model_fields if field != "steps"]
        fits = {
            f"{name} {kind}": [getattr(method, kind)]
            for name, method in report.likelihood.methods.items()
            for kind in ("logistic", "pav")
        }
        tables["likelihood.csv"] = _flat(fields, fits)
    return tables


def _quality(part: QualityRecord) -> Table:
    header = ("method", "metric", "mean", "standard_error", "ci95_low", "ci95_high", "faces",
              "people", "published", "published_standard_error")  # fmt: skip
    rows: list[Sequence[Any]] = []
    for name, method in part.methods.items():
        for metric in ("psnr", "ssim", "r"):
            mean: MeanRecord | None = getattr(method, metric)
            if mean is None:
                continue
            paper = mean.published
            printed = (paper.mean, paper.standard_error) if paper else (None, None)
            rows.append((name, metric, mean.mean, mean.standard_error, *mean.ci95, method.faces,
                         method.people, *printed))  # fmt: skip
    return header, rows


def _flat_head(fields: Sequence[str]) -> list[str]:
    """Return column names, two for an interval, after that of the method."""
    head = ["method"]
    for name in fields:
        is_pair = name.endswith("_ci95") or name == "bounds"
        head += [f"{name}_low", f"{name}_high"] if is_pair else [name]
    return head


def _flat(fields: Sequence[str], rows: Mapping[str, Sequence[StrictModel]]) -> Table:
    """Return a table of records by method; ranks in `found` are written as JSON."""

    def cells(row: StrictModel) -> Iterator[Any]:
        for name in fields:
            value = getattr(row, name)
            if name.endswith("_ci95") or name == "bounds":
                yield from value or (None, None)
            else:
                yield json.dumps(value) if isinstance(value, dict) else value

    body: list[Sequence[Any]] = [(name, *cells(row)) for name, part in rows.items() for row in part]
    return _flat_head(fields), body
