"""`forensic dataset build`: who is on which photo, and what becomes of each."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forensic.datasets.packed import PackedDataset
from forensic.errors import DataFolderError
from forensic.faces.align import align_face
from forensic.images.io import write_image
from forensic.images.tensors import images_to_tensor
from forensic.metrics.psnr import psnr
from forensic.sketches.registry import SKETCH_STYLES
from pipelines.build_dataset import Source, dataset, read_people
from tests.support.images import face_landmarks, face_photo, write_photos


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


def test_photos_become_aligned_faces_and_sketches(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "set"
    write_photos(photos, range(2))
    write_image(photos / "wall.png", np.full((120, 100, 3), 128, dtype=np.uint8))
    (photos / "broken.jpg").write_bytes(b"no image")
    arguments = ["build", "--photos", f"demo={photos}", "--out", str(out), "--workers", "1"]
    result = CliRunner().invoke(
        dataset, [*arguments, "--styles", "line", "--split", "train", "--quality", "100"]
    )
    assert result.exit_code == 0, result.output
    assert "no_face 1, not_an_image 1, packed 2" in result.output
    packed = PackedDataset(out)
    records = packed.in_split("train")
    faces = packed.images(records, "photo")
    true, _ = align_face(face_photo(0), face_landmarks(0), "csi-96")
    assert psnr(images_to_tensor(faces[:1]), images_to_tensor(true[None])) > 15  # detector's points
    assert (packed.images(records, "line")[1] == SKETCH_STYLES["line"](faces[1])).all()
    assert CliRunner().invoke(dataset, ["verify", str(out)]).exit_code == 0
    again = CliRunner().invoke(dataset, arguments)
    assert isinstance(again.exception, DataFolderError)
    assert "already holds a data set" in str(again.exception)


def test_no_usable_photo_leaves_no_data_set(tmp_path: Path) -> None:
    write_image(tmp_path / "photos" / "wall.png", np.full((120, 100, 3), 128, dtype=np.uint8))
    result = CliRunner().invoke(
        dataset,
        ["build", "--photos", f"demo={tmp_path / 'photos'}", "--out", str(tmp_path / "set")],
    )
    assert isinstance(result.exception, DataFolderError)
    assert not (tmp_path / "set" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--photos", "folder", "write NAME=FOLDER"),
        ("--people", "file", "write NAME=FILE"),
        ("--people", "other=PEOPLE", "has no such source"),
    ],
)
def test_malformed_sources(tmp_path: Path, option: str, value: str, message: str) -> None:
    people = tmp_path / "people.txt"
    people.write_text("Ada 1\n", encoding="utf-8")
    given = ["--photos", "demo=x", option, value.replace("PEOPLE", str(people))]
    result = CliRunner().invoke(dataset, ["build", *given, "--out", str(tmp_path / "set")])
    assert message in str(result.exception)
