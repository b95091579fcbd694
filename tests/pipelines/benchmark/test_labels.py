from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from pipelines.benchmark.folders import ImageFile, Pair, PairsData
from pipelines.benchmark.labels import read_labels


def _image(name: str) -> ImageFile:
    return ImageFile(Path(name), name, name)


DATA = PairsData(
    [Pair(f"p{i}", _image(f"p{i}.png"), _image(f"p{i}.jpg")) for i in (1, 2)],
    nonmated=[_image("deep/q1.png")],
)


def _read(tmp_path: Path, text: str) -> dict[str, dict[str, str]]:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return read_labels(path, DATA)


def test_labels_by_column_with_or_without_suffix_and_empty_cells(tmp_path: Path) -> None:
    text = "\ufeffprobe,group,age\np1.png,x,old\ndeep/q1,y,\n\n"
    assert _read(tmp_path, text) == {
        "group": {"p1": "x", "deep/q1": "y"}, "age": {"p1": "old"}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line"),
        ("probe\np1\n", "two or more"),
        ("probe,group\n", "no label"),
        ("probe,group\np9,x\nzz,y\n", "2 probes that are not there: p9, zz"),
        ("probe,group\np1,x\np1.png,y\n", "1 probes twice: p1"),
        ("probe,group\np1,x,y\n", "row 2: 3 cells, expected 2"),
        ("probe,group,group\np1,x,y\n", "different columns"),
    ],
)
def test_what_is_no_list_of_labels_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataFolderError, match=message):
        _read(tmp_path, text)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match=r"absent\.csv cannot be read"):
        read_labels(tmp_path / "absent.csv", DATA)
