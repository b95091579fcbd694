"""A manifest: rows with their metadata, and each bad row told with its line."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from forensic.jobs.galleries.sources.manifest import ManifestSource


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_carry_their_metadata(tmp_path: Path, separator: str) -> None:
    rows = ["subject_id,path,sex,birth_year,tattoo", "p1,a/1.png,F,1980,rose", "p2,2.png,,,"]
    text = "\r\n".join(rows).replace(",", separator)
    (tmp_path / "2.png").write_bytes(b"2")
    source = ManifestSource(write(tmp_path, "\ufeff" + text))
    first, second = source.items()
    assert (first.name, first.subject_external_id) == ("a/1.png", "p1")
    assert first.subject_metadata == {
        "sex": "F",
        "birth_year": 1980,
        "attributes": {"tattoo": "rose"},
    }
    assert second.subject_metadata == {"sex": None, "birth_year": None, "attributes": {}}
    assert source.read(second.name) == b"2"


def test_bad_rows_are_told_and_the_rest_taken(tmp_path: Path) -> None:
    rows = [
        b"path,subject_id,birth_year",
        b"ok.png,p1,",
        b"short.png,p1",
        b",p1,1980",
        b"nobody.png, ,1980",
        b"year.png,p1,19x0",
        b"year2.png,p1,12",
        b"latin.png,Jos\xe9,",
        b"nul\x00.png,p1,",
        b'"' + b"x" * 200_000 + b'",p1,',
        b"",
        b"last.png,p2,1999",
    ]
    items = list(ManifestSource(write(tmp_path, b"\n".join(rows))).items())
    told = [(item.name[:9], item.reason_code) for item in items]
    assert told[:7] == [
        ("ok.png", None),
        ("line 3", "bad_row"),
        ("line 4", "bad_row"),
        ("nobody.pn", "no_subject"),
        ("year.png", "bad_metadata"),
        ("year2.png", "bad_metadata"),
        ("latin.png", "bad_name"),
    ]
    assert told[7][1] == "bad_name"
    assert told[8][1] == "bad_row"
    assert told[-1] == ("last.png", None)
    assert items[6].subject_external_id == "Jos\\xe9"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("path,person\na,b\n", "'subject_id'"),
        ("", "'subject_id'"),
        ("path,subject_id,path\n", "'path'"),
        ("path,subject_id,\n", "without a name"),
        ("path,subject_id\n".encode("utf-16"), "not UTF-8"),
        ("path,subject_id,gr\u00f6\u00dfe\n".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(
    tmp_path: Path, content: str | bytes, told: str
) -> None:
    with pytest.raises(DataFolderError, match=told):
        ManifestSource(write(tmp_path, content))


def test_a_missing_file_or_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="cannot be read"):
        ManifestSource(tmp_path / "absent.csv")
    path = write(tmp_path, "path,subject_id\n")
    with pytest.raises(DataFolderError, match="nowhere"):
        ManifestSource(path, root=tmp_path / "nowhere")


def test_rows_are_not_held_in_memory(tmp_path: Path) -> None:
    """A reader that takes three rows has not read the file to its end."""
    path = write(tmp_path, "path,subject_id\n" + "a.png,p\n" * 200_000)
    items = ManifestSource(path).items()
    assert len(list(islice(items, 3))) == 3
    with open(path, "a") as file:
        file.write("late.png,p\n")
    assert [item.name for item in items][-1] == "late.png"
