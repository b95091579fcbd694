import csv
from pathlib import Path

import pytest

from forensic.reports.tables import interval, p_value, percent, write_tables
from tests.support.reports import example_report


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_rate_short_of_certain_is_never_written_as_certain() -> None:
    assert percent(0.9999) == ">99.9 %"
    assert percent(0.0001) == "<0.1 %"
    assert (percent(1.0), percent(0.0)) == ("100.0 %", "0.0 %")


def test_absent_figures_are_a_dash() -> None:
    assert (percent(None), interval(None), p_value(None)) == ("–", "–", "–")


def test_p_values_do_not_cross_five_percent_by_rounding() -> None:
    assert (p_value(0.0499), p_value(0.0501)) == ("0.0499", "0.0501")


def test_tables_carry_the_figures_of_the_report(tmp_path: Path) -> None:
    report = example_report()
    write_tables(report, tmp_path)
    scores = _rows(tmp_path / "scores.csv")
    assert len(scores) == 8
    line = next(row for row in scores if (row["method"], row["rank"]) == ("csi-line", "1"))
    assert float(line["cms"]) == 0.75
    assert float(line["ci95_low"]) == report.methods["csi-line"].rank1.ci95[0]
    ranks = {row["probe"]: row for row in _rows(tmp_path / "ranks.csv")}
    assert (ranks["p00"]["csi-line"], ranks["p38"]["csi-line"]) == ("1", "3")
    assert ranks["p39"]["none"] == ""
    assert _rows(tmp_path / "comparisons.csv")[0]["only_b"] == "20"
    assert _rows(tmp_path / "failures.csv")[0]["name"] == "p07.png"


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_no_file_name_becomes_a_formula_of_a_spreadsheet(tmp_path: Path, name: str) -> None:
    write_tables(example_report(failed=name), tmp_path)
    assert _rows(tmp_path / "failures.csv")[0]["name"] == "'" + name
    assert _rows(tmp_path / "comparisons.csv")[0]["rate_difference"] == "-0.5"
