"""A ZIP archive: every entry listed, each fault told of its own entry."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from forensic.cases.intake import Refusal
from forensic.errors import DataFolderError
from forensic.jobs.galleries.sources.archive import ZipSource


def write_zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_entries_are_listed_and_read(tmp_path: Path) -> None:
    entries = {"ann/1.png": b"1", "佐藤/2.png": b"2", "__MACOSX/ann/1.png": b"", "ann/": b""}
    source = ZipSource(write_zip(tmp_path / "a.zip", entries), subject_from="folder")
    items = list(source.items())
    assert [(i.name, i.subject_external_id) for i in items] == [
        ("ann/1.png", "ann"),
        ("佐藤/2.png", "佐藤"),
    ]
    assert [source.read(i.name) for i in items] == [b"1", b"2"]
    source.close()


def test_paths_that_lead_out_are_refused(tmp_path: Path) -> None:
    entries = {"../up.png": b"1", "/etc/x.png": b"2", "a/../../b.png": b"3"}
    source = ZipSource(write_zip(tmp_path / "a.zip", entries))
    assert {item.reason_code for item in source.items()} == {"outside_root"}
    source.close()


def test_a_damaged_entry_is_told_and_the_rest_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("bad.png", b"payload-of-the-bad-one")
        archive.writestr("good.png", b"good")
        archive.writestr("empty.png", b"")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"payload-of-the-bad-one", b"payload-of-the-bad-0ne", 1))
    source = ZipSource(path)
    found = {item.name: source.read(item.name) for item in source.items()}
    source.close()
    assert found["good.png"] == b"good"
    reasons = {n: f.reason for n, f in found.items() if isinstance(f, Refusal)}
    assert reasons == {"bad.png": "unreadable", "empty.png": "empty"}


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = write_zip(tmp_path / "a.zip", {"bomb.png": b"\x00" * (17 * 2**20)})
    source = ZipSource(bomb)
    refusal = source.read("bomb.png")
    source.close()
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "too_many_bytes"


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_of_two_entries_with_one_name_the_one_that_can_be_read_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"first")
        archive.writestr("a.png", b"second")
    source = ZipSource(path)
    assert [item.reason_code for item in source.items()] == ["bad_name", None]
    assert source.read("a.png") == b"second"
    source.close()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK no")
    for name in ("a.zip", "absent.zip"):
        with pytest.raises(DataFolderError, match="no ZIP"):
            ZipSource(tmp_path / name)


@pytest.mark.parametrize(
    ("in_local_header", "in_directory", "value", "code"),
    [(8, 10, 97, "unreadable"), (6, 8, 1, "no_access")],
    ids=["unknown method", "encrypted"],
)
def test_what_cannot_be_unpacked_is_told_apart_from_what_is_encrypted(
    tmp_path: Path, in_local_header: int, in_directory: int, value: int, code: str
) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": b"1"})
    data = bytearray(path.read_bytes())
    data[in_local_header] = data[data.index(b"PK\x01\x02") + in_directory] = value
    path.write_bytes(data)
    source = ZipSource(path)
    refused = source.read("a.png")
    assert isinstance(refused, Refusal)
    assert refused.reason == code
    source.close()
