import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensic.cli.boundary import LazyGroup
from forensic.errors import DataFolderError, RangeError, UnknownNameError
from forensic.files import write_json
from forensic.reports.record import BenchmarkReport
from pipelines.benchmark.compare import compare_reports, describe_verdict
from tests.support.reports import example_report


def _changed(report: BenchmarkReport, **values: object) -> BenchmarkReport:
    return BenchmarkReport(**{**report.model_dump(mode="json"), **values})


def test_a_clear_difference_names_the_better_report() -> None:
    weak, strong = example_report(second=20), example_report(second=35)
    none, line = compare_reports(weak, strong)
    assert (none.first, none.better, none.outcome.p_value) == ("none", None, 1)
    assert (line.outcome.only_first, line.outcome.only_second) == (0, 15)
    assert line.holm_p == pytest.approx(2 * 2 * 0.5**15)
    assert line.better == "B"
    assert "B is better on these probes" in describe_verdict(line)


def test_a_small_difference_cannot_be_told_and_says_what_could() -> None:
    (verdict,) = compare_reports(
        example_report(second=25), example_report(second=30), methods=("csi-line", "csi-line")
    )
    assert verdict.outcome.p_value == pytest.approx(0.0625)
    assert verdict.better is None
    assert "cannot be told" in describe_verdict(verdict)
    assert "at least 6 probes (15.0 %)" in describe_verdict(verdict)


def test_methods_and_rank_may_be_chosen() -> None:
    report = example_report(first=10, second=30)
    (verdict,) = compare_reports(report, report, methods=("csi-line", "none"))
    assert verdict.better == "A"
    (later,) = compare_reports(report, report, methods=("csi-line", "none"), rank=9)
    assert later.outcome.rate_difference == 0  # the one failure is missed by both


def test_other_sketches_or_galleries_are_refused() -> None:
    report = example_report()
    other = {**report.provenance, "data_sha256": {"sketches": "9", "photos": "1" * 64}}
    with pytest.raises(DataFolderError, match="different sketches"):
        compare_reports(report, _changed(report, provenance=other))
    with pytest.raises(DataFolderError, match=r"different galleries \(60 and 70"):
        compare_reports(report, _changed(report, gallery=70))


def test_methods_that_are_not_there_are_refused() -> None:
    report = example_report()
    with pytest.raises(UnknownNameError, match="csi-lime"):
        compare_reports(report, report, methods=("csi-lime", "none"))
    with pytest.raises(RangeError):
        compare_reports(report, report, rank=0)
    renamed = {name.upper(): value for name, value in report.methods.items()}
    with pytest.raises(DataFolderError, match="share no method"):
        compare_reports(report, _changed(report, methods=renamed))


def _compare(*words: str) -> tuple[int, str]:
    group = LazyGroup("forensic", lazy={"benchmark": ("pipelines.benchmark:benchmark", "")})
    result = CliRunner().invoke(group, ["benchmark", "compare", *words])
    return result.exit_code, result.output


def test_command_prints_text_or_json(tmp_path: Path) -> None:
    for name, second in (("a", 20), ("b", 35)):
        report = example_report(second=second)
        write_json(tmp_path / f"{name}.json", report.model_dump(mode="json"))
    paths = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    code, text = _compare(*paths)
    assert code == 0
    assert "B is better" in text
    code, text = _compare(*paths, "--json", "--methods", "csi-line,csi-line")
    assert json.loads(text)[0]["better"] == "B"


def test_files_that_are_no_reports_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"probes": 3})
    (tmp_path / "b.json").write_text("[1]")
    for name, message in (("a", "notice"), ("b", "no benchmark report"), ("c", "cannot be read")):
        code, text = _compare(str(tmp_path / f"{name}.json"), str(tmp_path / "a.json"))
        assert code == 2
        assert message in text


def test_schema_describes_a_real_report() -> None:
    from pipelines.benchmark.cli import schema

    described = json.loads(CliRunner().invoke(schema).output)
    record = example_report().model_dump(mode="json")
    assert set(described["properties"]) == set(record)
    optional = {
        "subject",
        "mended",
        "open_set",
        "cohorts",
        "likelihood",
        "growth",
        "quality",
        "same_hand",
    }
    assert set(described["required"]) == set(record) - optional
    assert described["additionalProperties"] is False
    fields = described["$defs"]["MethodRecord"]["properties"]
    assert set(fields) == set(record["methods"]["none"])
