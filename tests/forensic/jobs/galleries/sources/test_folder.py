"""A folder is listed in a fixed order, whatever lies in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from forensic.jobs.galleries.sources.folder import FolderSource


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def test_each_file_or_each_folder_is_a_person(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.png", "b/1.png", "a.png", "c/d/3.png", ".hidden/x.png", "b/.DS_Store")
    by_file = [(i.name, i.subject_external_id) for i in FolderSource(tmp_path).items()]
    assert by_file == [
        ("a.png", "a"),
        ("b/1.png", "b/1"),
        ("b/2.png", "b/2"),
        ("c/d/3.png", "c/d/3"),
    ]
    by_folder = list(FolderSource(tmp_path, subject_from="folder").items())
    assert [(i.name, i.subject_external_id, i.reason_code) for i in by_folder] == [
        ("a.png", "", "no_subject"),
        ("b/1.png", "b", None),
        ("b/2.png", "b", None),
        ("c/d/3.png", "c/d", None),
    ]


def test_names_in_any_script_are_taken_and_others_told(tmp_path: Path) -> None:
    fill(tmp_path, "Ольга.png", "佐藤.png", "زهراء.png", "=cmd().png", "new\nline.png")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.png", "wb"):
        pass
    source = FolderSource(tmp_path)
    items = {item.name: item for item in source.items()}
    assert items["caf\\xe9.png"].reason_code == "bad_name"
    good = [item for item in items.values() if item.reason_code is None]
    assert {item.subject_external_id for item in good} == {
        "Ольга",
        "佐藤",
        "زهراء",
        "=cmd()",
        "new\nline",
    }
    assert all(source.read(item.name) == item.name.encode() for item in good)


def test_links_and_loops_end(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.png")
    (tmp_path / "a" / "loop").symlink_to("..")
    (tmp_path / "b").symlink_to("b")
    items = {item.name: item.reason_code for item in FolderSource(tmp_path).items()}
    assert items == {"a/1.png": None, "a/loop": "link", "b": None}  # reading b tells


def test_a_sub_folder_that_may_not_be_read_is_one_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "a/1.png", "b/2.png")
    source, scan = FolderSource(tmp_path), os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "a":  # root may read everything, so the refusal is played
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    items = [(item.name, item.reason_code) for item in source.items()]
    assert items == [("a", "no_access"), ("b/2.png", None)]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in ("absent", "loop"):
        with pytest.raises(DataFolderError, match=name):
            FolderSource(tmp_path / name)


def test_fifty_thousand_files_in_one_folder(tmp_path: Path) -> None:
    for i in range(50_000):
        os.close(os.open(tmp_path / f"{i:05}.png", os.O_CREAT | os.O_WRONLY))
    names = [item.name for item in FolderSource(tmp_path).items() if item.reason_code is None]
    assert names == [f"{i:05}.png" for i in range(50_000)]
