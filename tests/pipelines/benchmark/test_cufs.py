from pathlib import Path

import pytest
from click.testing import CliRunner

from forensic.errors import DataFolderError
from forensic.reports.record import load_report
from pipelines.benchmark import benchmark
from pipelines.benchmark.cufs import find_subsets
from tests.support.images import write_pairs


def _subset(folder: Path) -> None:
    (folder / "photos").mkdir(parents=True)
    (folder / "sketches").mkdir()


def test_test_parts_are_taken_and_training_parts_are_not(tmp_path: Path) -> None:
    for name in ("cuhk_student/train", "cuhk_student/test", "ar/test", "xm2vts"):
        _subset(tmp_path / name)
    (tmp_path / "odd" / "photos").mkdir(parents=True)
    assert list(find_subsets(tmp_path, split="test")) == ["ar/test", "cuhk_student/test", "xm2vts"]
    assert list(find_subsets(tmp_path / "cuhk_student" / "test", split="test")) == ["."]


def test_folders_without_subsets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="no sub-set"):
        find_subsets(tmp_path, split="test")
    with pytest.raises(DataFolderError, match="not a folder"):
        find_subsets(tmp_path / "nowhere", split="test")


def test_one_command_gives_every_subset_and_table_1_beside_the_papers(tmp_path: Path) -> None:
    write_pairs(tmp_path / "cufs" / "cuhk_student" / "test", range(3))
    write_pairs(tmp_path / "cufs" / "ar" / "test", range(3, 6))
    result = CliRunner().invoke(
        benchmark,
        [
            "cuhk", "--cufs", str(tmp_path / "cufs"), "--methods", "none", "--embedder", "pixels",
            "--aligned", "cufs", "--device", "cpu", "--no-faces", "--cache",
            str(tmp_path / "cache"), "--out", str(tmp_path / "out"),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [
        "ar-test", "cuhk_student-test", "cuhk_student-test-fcn-sr", "cuhk_student-test-gray"
    ]  # fmt: skip
    ours = load_report(tmp_path / "out" / "ar-test" / "report.json")
    assert ours.subject == "Sketches in ar/test/sketches, photos in ar/test/photos"
    for name, rate in (("gray", 0.41), ("fcn-sr", 1.0)):
        report = load_report(tmp_path / "out" / f"cuhk_student-test-{name}" / "report.json")
        paper = report.methods["fcn-sketch"].published
        assert paper is not None
        assert (paper.cms1, paper.trials) == (rate, 100)
        assert report.gallery == report.probes == 3
    assert "cannot be told which is better" in result.output
