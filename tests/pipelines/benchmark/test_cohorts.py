from pathlib import Path

import pytest
from click.testing import CliRunner

from forensic.errors import DataFolderError
from forensic.files import read_json, write_json
from forensic.stats.binomial import clopper_pearson
from pipelines.benchmark import benchmark
from pipelines.benchmark.cohorts import benchmark_cohorts
from tests.support.reports import example_report


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    write_json(path, example_report(first=10, second=30).model_dump(mode="json"))
    return path


def _labels(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text)
    return path


def test_every_cohort_has_its_own_rate_and_interval(report: Path, tmp_path: Path) -> None:
    rows = [f"p{i:02d},{'old' if i < 20 else 'young'}" for i in range(30)]
    labels = _labels(tmp_path, "\n".join(["sketch,age", *rows]))
    out = tmp_path / "cohorts.json"
    said = benchmark_cohorts(report, labels, out=out)
    found = read_json(out)["columns"]["age"]
    assert found["none"]["unlabelled"] == 10
    old, young = found["none"]["cohorts"]
    assert (old["name"], old["probes"], old["rank1"]) == ("old", 20, 0.5)
    assert old["ci95"] == pytest.approx(clopper_pearson(10, 20))
    assert (young["probes"], young["rank1"]) == (10, 0)
    # Misses of 0.5 and 1: the worst over their geometric mean is 1 / sqrt(0.5).
    assert found["none"]["miss_max_over_geometric_mean"] == pytest.approx(2**0.5)
    assert found["csi-line"]["miss_max_over_geometric_mean"] is None  # nobody is missed
    assert "never inferred" in said
    assert "old                      20 probes   50.0 % (27.2–72.8 %)" in said


def test_the_command_prints_without_writing(report: Path, tmp_path: Path) -> None:
    labels = _labels(tmp_path, "sketch,age\np00,old\n")
    result = CliRunner().invoke(benchmark, ["cohorts", str(report), "--labels", str(labels)])
    assert result.exit_code == 0, result.output
    assert "age, none:" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv", "report.json"]


def test_a_label_of_nobody_is_refused(report: Path, tmp_path: Path) -> None:
    labels = _labels(tmp_path, "sketch,age\np99,old\n")
    with pytest.raises(DataFolderError, match="p99"):
        benchmark_cohorts(report, labels, out=tmp_path / "cohorts.json")
    assert not (tmp_path / "cohorts.json").exists()
