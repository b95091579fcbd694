"""`forensic benchmark compare`: two reports on the same probes and the same gallery."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from forensic.check import check_range
from forensic.errors import DataFolderError, InputError, UnknownNameError
from forensic.reports.record import BenchmarkReport, load_report
from forensic.reports.tables import p_value, percent, points
from forensic.stats.mcnemar import PairedComparison, compare_paired
from forensic.stats.multiplicity import holm

ALPHA = 0.05


@dataclass(frozen=True)
class Verdict:
    """One method of the first report against one of the second.

    Attributes:
        first: Method of the first report.
        second: Method of the second report.
        rank: A probe counts as found when its mate is at this rank or better.
        outcome: Counts, effect and raw p-value.
        holm_p: Adjusted over all comparisons made.
    """

    first: str
    second: str
    rank: int
    outcome: PairedComparison
    holm_p: float

    @property
    def better(self) -> str | None:
        """`A`, `B`, or None where it cannot be told."""
        if self.holm_p >= ALPHA:
            return None
        return "A" if self.outcome.rate_difference > 0 else "B"


def compare_reports(
    first: BenchmarkReport,
    second: BenchmarkReport,
    *,
    methods: tuple[str, str] | None = None,
    rank: int = 1,
) -> list[Verdict]:
    """Return McNemar's test for every method that both reports have, Holm-corrected.

    Args:
        first: Called A.
        second: Called B.
        methods: One method of each report to compare instead; needed where they share none
            and have several.
        rank: What counts as found.

    Raises:
        DataFolderError: Other sketches, another gallery, or no methods to compare.
        UnknownNameError: A report has no such method.
        RangeError: The rank is below 1.
    """
    check_range(rank, 1, float("inf"), name="rank")
    _check_same_task(first, second)
    chosen = [methods] if methods else _shared_methods(first, second)
    for report, names in ((first, [a for a, _ in chosen]), (second, [b for _, b in chosen])):
        for name in names:
            if name not in report.methods:
                raise UnknownNameError("method", name, report.methods, ())
    outcomes = [compare_paired(_found(first, a, rank), _found(second, b, rank)) for a, b in chosen]
    adjusted = holm([outcome.p_value for outcome in outcomes])
    return [
        Verdict(a, b, rank, outcome, float(p))
        for (a, b), outcome, p in zip(chosen, outcomes, adjusted, strict=True)
    ]


def compare_files(
    first: Path, second: Path, *, methods: str | None, rank: int, as_json: bool
) -> str:
    """Compare two `report.json` files and return the outcome as text or JSON.

    Raises:
        InputError: A file is no report, `methods` is not two names, or they cannot be compared.
        UnknownNameError: A report has no such method.
    """
    a, comma, b = (methods or "").partition(",")
    if methods and not (a and b and "," not in b):
        raise InputError(f"--methods {methods}: expected one method of A and one of B: NAME,NAME.")
    chosen = (a, b) if comma else None
    verdicts = compare_reports(load_report(first), load_report(second), methods=chosen, rank=rank)
    if as_json:
        rows = [{**asdict(verdict), "better": verdict.better} for verdict in verdicts]
        return json.dumps(rows, indent=2)
    return "\n".join([f"A = {first}, B = {second}", *map(describe_verdict, verdicts)])


def describe_verdict(verdict: Verdict) -> str:
    """Return a verdict in words, with its figures."""
    outcome, n = verdict.outcome, verdict.outcome.trials
    rates = [(outcome.both + only) / n for only in (outcome.only_first, outcome.only_second)]
    head = (
        f"{verdict.first} (A) {percent(rates[0])}, {verdict.second} (B) {percent(rates[1])} at "
        f"rank {verdict.rank} of {n} probes; difference {points(outcome.rate_difference)}; only A "
        f"{outcome.only_first}, only B {outcome.only_second}; "
        f"p {p_value(outcome.p_value)}, after Holm {p_value(verdict.holm_p)}."
    )
    if verdict.better:
        return f"{head}\n  {verdict.better} is better on these probes."
    gap = outcome.smallest_gap
    reach = f"at least {gap} probes ({percent(gap / n)})" if gap else "more probes than there are"
    return (
        f"{head}\n  It cannot be told which is better. A difference of {reach} was needed to show "
        "any."
    )


def _check_same_task(first: BenchmarkReport, second: BenchmarkReport) -> None:
    hashes = [report.provenance.get("data_sha256", {}) for report in (first, second)]
    ranks = [next(iter(report.methods.values())).ranks for report in (first, second)]
    if hashes[0].get("sketches") != hashes[1].get("sketches") or ranks[0].keys() != ranks[1].keys():
        raise DataFolderError(
            "The two reports are about different sketches, so they cannot be compared probe by "
            "probe. Run both on the same --sketches."
        )
    if hashes[0] != hashes[1] or first.gallery != second.gallery:
        raise DataFolderError(
            f"The two reports searched different galleries ({first.gallery} and {second.gallery} "
            "photos), so a difference would not be the method's. Run both on the same --photos "
            "and --distractors."
        )


def _shared_methods(first: BenchmarkReport, second: BenchmarkReport) -> list[tuple[str, str]]:
    shared = [(name, name) for name in first.methods if name in second.methods]
    if shared:
        return shared
    if len(first.methods) == len(second.methods) == 1:
        return [(next(iter(first.methods)), next(iter(second.methods)))]
    raise DataFolderError(
        f"The reports share no method: A has {', '.join(first.methods)}; B has "
        f"{', '.join(second.methods)}. Name one of each with --methods A,B."
    )


def _found(report: BenchmarkReport, name: str, rank: int) -> np.ndarray:
    """Return (n,) whether each probe was found, in the order of the probes' names."""
    ranks = report.methods[name].ranks
    return np.array([(value or np.inf) <= rank for _, value in sorted(ranks.items())], dtype=bool)
