import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.benchmark import benchmark
from pipelines.benchmark.suite import running
from tests.support.images import write_pairs

PLAN = """
[data]
people = "people"
[given]
other = "somebody else's embedder"
[report.pairs]
command = '''
benchmark pairs --photos {people}/photos --sketches {people}/sketches --methods none
  --embedder pixels --aligned cufs --device cpu --no-faces --out {out}
'''
[report.judge]
command = "benchmark pairs --photos {people}/photos --embedder {other} --out {out}"
[table.pairs]
kind = "pairs"
rows = [{ label = "phantoms", file = "pairs/report.json" }]
[table.judge]
kind = "pairs"
rows = [{ label = "phantoms", file = "judge/report.json" }]
"""
PAGE = """# Page

<!-- table: pairs -->
<!-- end -->

<!-- table: judge -->
as it was
<!-- end -->
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "data" / "people", range(3))
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "README.md").write_text(PAGE)
    return tmp_path


def _all(folder: Path, *more: str) -> Result:
    words = ["all", "--data", str(folder / "data"), "--out", str(folder / "out")]
    words += ["--plan", str(folder / "plan.toml"), "--cache", str(folder / "cache")]
    return CliRunner().invoke(benchmark, [*words, "--readme", str(folder / "README.md"), *more])


def test_one_command_makes_reports_and_the_tables_of_a_page_and_then_rests(folder: Path) -> None:
    result = _all(folder)
    assert result.exit_code == 0, result.output
    page = (folder / "README.md").read_text()
    assert "| phantoms, 3 | 3 | `none` |" in page
    assert "as it was" in page
    assert "impossible  judge" in result.output
    assert "--at other=PATH is not given: somebody else's embedder" in result.output
    assert "left as it was: judge" in result.output
    assert (folder / "out" / "tables" / "pairs.md").read_text() in page
    again = _all(folder)
    assert "changed nothing" in again.output
    assert "pairs: made" not in again.output
    assert (folder / "README.md").read_text() == page


def test_a_list_makes_nothing_and_a_failure_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = _all(folder, "--list")
    assert "missing     pairs" in listed.output
    assert not (folder / "out").exists()
    monkeypatch.setattr(running, "FORENSIC", (sys.executable, "-c", "raise SystemExit('no luck')"))
    result = _all(folder)
    assert result.exit_code == 1
    assert "1 reports could not be made: pairs" in str(result.exception)
    assert "no luck" in result.output
    assert (folder / "README.md").read_text() == PAGE


@pytest.mark.parametrize(
    ("more", "said"), [(["--at", "judge"], "NAME=PATH"), (["--at", "x=y"], "data or report")]
)
def test_a_wrong_place_is_refused(folder: Path, more: list[str], said: str) -> None:
    result = _all(folder, *more)
    assert said in str(result.exception)
