from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from pipelines.benchmark.cufs import find_subsets


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
