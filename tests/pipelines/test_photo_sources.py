"""Who is on which photo of a source, and which are used."""

from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from pipelines.photo_sources import Source, read_people


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_sub_folder_is_a_person_and_a_photo_at_the_top_another(tmp_path: Path) -> None:
    touch(tmp_path, "Ada/Ada_0001.jpg", "Ada/old/Ada_0002.jpg", "000123.png", "notes.txt")
    found = list(Source("lfw", tmp_path).photos())
    assert [(key, person) for key, person, _ in found] == [
        ("lfw/000123", "lfw/000123"),
        ("lfw/Ada/Ada_0001", "lfw/Ada"),
        ("lfw/Ada/old/Ada_0002", "lfw/Ada"),
    ]


def test_only_the_people_asked_for(tmp_path: Path) -> None:
    touch(tmp_path, "Ada/1.jpg", "Ben/1.jpg", "Cleo/1.jpg")
    chosen = Source("lfw", tmp_path, frozenset({"Ben", "Cleo", "Dan"}))
    assert [person for _, person, _ in chosen.photos()] == ["lfw/Ben", "lfw/Cleo"]
    with pytest.raises(DataFolderError, match="none of the 1 people"):
        list(Source("lfw", tmp_path, frozenset({"Dan"})).photos())


def test_empty_or_missing_folder(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataFolderError):
            list(Source("lfw", folder).photos())


def test_people_in_the_format_of_lfw(tmp_path: Path) -> None:
    path = tmp_path / "peopleDevTrain.txt"
    path.write_text("2\nAda_Lovelace\t3\nBen 1\n", encoding="utf-8")
    assert read_people(path) == {"Ada_Lovelace", "Ben"}


@pytest.mark.parametrize("content", [b"", b"17\n", b"\xff\xfe\x00"])
def test_a_list_that_names_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "people.txt").write_bytes(content)
    with pytest.raises(DataFolderError, match=r"people\.txt"):
        read_people(tmp_path / "people.txt")
    with pytest.raises(DataFolderError, match="cannot be read"):
        read_people(tmp_path / "absent.txt")
