"""`forensic benchmark papers` on toy weights and phantoms."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.papers import fcn
from pipelines.papers.tables import Materials, PaperTable
from tests.support.cufs import write_cufs
from tests.support.generators import write_copying_fcn


def papers(*arguments: str | Path) -> Result:
    words = ["benchmark", "papers", "--device", "cpu", *map(str, arguments)]
    return CliRunner().invoke(main, words)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("papers")
    write_cufs(place / "cuhk")
    write_copying_fcn(place / "fcn-medium.safetensors")
    return place


def test_one_table_printed_and_written(place: Path, tmp_path: Path) -> None:
    arguments = ("--weights", place, "--data", f"cuhk={place / 'cuhk'}", "--out", tmp_path)
    result = papers("--only", "fcn-table-1", *arguments)
    assert result.exit_code == 0, result.output
    assert "FCN, Table 1" in result.output
    assert "Fig. 5" not in result.output
    words = f"--only fcn-table-1 --weights {place} --data cuhk={place / 'cuhk'}"
    assert f"`forensic benchmark papers {words}`" in result.output
    assert "3 rows computed, 4 not" in result.output
    assert (tmp_path / "papers.md").read_text() in result.output
    document = json.loads((tmp_path / "papers.json").read_text())
    assert [table["name"] for table in document["tables"]] == ["fcn-table-1"]
    assert document["provenance"]["libraries"]["torch"]


def test_no_other_table_is_computed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compute(materials: Materials) -> PaperTable:
        raise AssertionError(materials)

    others = {name: compute for name in fcn.TABLES if name != "fcn-table-1"}
    for name, instead in others.items():
        monkeypatch.setitem(fcn.TABLES, name, instead)
    assert papers("--only", "fcn-table-1", "--weights", place).exit_code == 0


def test_without_anything_every_row_says_why() -> None:
    result = papers("--only", "fcn", "--only", "study")
    assert result.exit_code == 0, result.output
    assert "0 rows computed" in result.output
    assert "forensic train fcn-large" in result.output
    assert "study-vgg-f2s-disjoint" in result.output


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--only", "fnc"], "fcn"),
        (["--only", "fcn-table-9"], "fcn-table-1"),
        (["--data", "x"], "NAME="),
    ],
)
def test_what_the_user_can_mend(arguments: list[str], phrase: str) -> None:
    result = papers(*arguments)
    assert result.exit_code == 2, result.output
    assert phrase in result.output
