from pathlib import Path

import numpy as np
import pytest

from forensic.errors import DataFolderError
from forensic.gallery.index import GalleryIndex
from forensic.images.io import write_image
from pipelines.benchmark.verify import (
    LabelledPairs,
    embed_images,
    find_images,
    read_pairs,
    stored_images,
    verify_pairs,
)
from tests.support.benchmark import fake_system
from tests.support.fakes import FakeEmbedder

GOOD = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nBob\t2\tCy\t10\n"


def _list(folder: Path, text: str) -> Path:
    (folder / "pairs.txt").write_text(text)
    return folder / "pairs.txt"


def _people(folder: Path) -> Path:
    """Everybody is one pattern of blocks; a person's second picture is a little darker."""
    for seed, (person, numbers) in enumerate({"Ann": (1, 2), "Bob": (1, 2), "Cy": (10,)}.items()):
        blocks = np.random.default_rng(seed).integers(20, 200, size=(8, 8, 3), dtype=np.uint8)
        image = np.kron(blocks, np.ones((25, 25, 1), np.uint8))
        for number in numbers:
            write_image(folder / person / f"{person}_{number:04d}.png", image - np.uint8(number))
    return folder


def test_list_is_read_fold_by_fold(tmp_path: Path) -> None:
    pairs = read_pairs(_list(tmp_path, GOOD))
    assert pairs.first == ["Ann/Ann_0001", "Ann/Ann_0001", "Bob/Bob_0001", "Bob/Bob_0002"]
    assert pairs.second == ["Ann/Ann_0002", "Bob/Bob_0001", "Bob/Bob_0002", "Cy/Cy_0010"]
    assert pairs.is_same.tolist() == [True, False, True, False]
    assert pairs.folds.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("500\nAnn\t1\t2\n", "line 1"),
        ("", "line 1"),
        (GOOD.replace("Bob\t1\t2\n", ""), "not complete"),
        (GOOD.replace("Ann\t1\t2", "Ann 1 2"), "line 2"),
        (GOOD.replace("Cy\t10", "Cy\tten"), "line 5"),
        (GOOD.replace("Cy\t10", "../Cy\t10"), "line 5"),
    ],
)
def test_other_lists_are_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataFolderError, match=message):
        read_pairs(_list(tmp_path, text))


def test_missing_images_are_named(tmp_path: Path) -> None:
    folder = _people(tmp_path / "lfw")
    with pytest.raises(DataFolderError, match="lacks 1 of 2 images of the list: Di/Di_0001"):
        find_images(folder, {"Ann/Ann_0001", "Di/Di_0001"})
    with pytest.raises(DataFolderError, match="not a folder"):
        find_images(tmp_path / "nowhere", {"Ann/Ann_0001"})


def _verify(tmp_path: Path, pairs: LabelledPairs) -> dict[str, object]:
    images = find_images(_people(tmp_path / "lfw"), {*pairs.first, *pairs.second})
    faces = embed_images(images, fake_system(), cache_folder=tmp_path / "cache")
    return verify_pairs(pairs, faces, FakeEmbedder())


def test_faces_of_one_person_are_told_from_others(tmp_path: Path) -> None:
    report = _verify(tmp_path, read_pairs(_list(tmp_path, GOOD)))
    assert report["pairs"] == 4
    assert report["images"] == 5
    accuracy = report["accuracy"]
    assert isinstance(accuracy, dict)
    assert accuracy["mean"] == 1
    assert accuracy["correct"] == 4
    assert accuracy["ci95"][0] == pytest.approx(0.3976, abs=1e-4)
    assert report["acceptance_at_false_rate"] == {"0.1": 1.0, "0.01": 1.0, "0.001": 1.0}


def test_image_without_a_face_makes_its_pairs_wrong(tmp_path: Path) -> None:
    pairs = read_pairs(_list(tmp_path, GOOD))
    folder = _people(tmp_path / "lfw")
    write_image(folder / "Cy" / "Cy_0010.png", np.full((40, 40, 3), 255, np.uint8))
    images = find_images(folder, {*pairs.first, *pairs.second})
    faces = embed_images(images, fake_system(), cache_folder=tmp_path / "cache")
    report = verify_pairs(pairs, faces, FakeEmbedder())
    assert report["pairs_not_compared"] == 1
    # Its own pair is wrong, and so is Ann's with Bob: a fold left with one matched pair alone
    # gives the threshold that accepts everything.
    assert report["accuracy"]["correct"] == 2
    assert report["failures"] == [{"name": "Cy/Cy_0010", "reason": "No face was found."}]


def _stored(folder: Path, vectors: np.ndarray, photo_ids: list[str]) -> Path:
    people = [photo.partition("/")[0] for photo in photo_ids]
    GalleryIndex.build(
        vectors, photo_ids=photo_ids, subject_ids=people, embedder_name="fake",
        weights_sha256="f" * 64,
    ).save(folder)  # fmt: skip
    return folder


def test_stored_index_gives_the_figures_of_the_photos_and_lacking_ones_are_wrong(
    tmp_path: Path,
) -> None:
    pairs = read_pairs(_list(tmp_path, GOOD))
    names = {*pairs.first, *pairs.second}
    images = find_images(_people(tmp_path / "lfw"), names)
    faces = embed_images(images, fake_system(), cache_folder=tmp_path / "cache")
    ids = [f"{name}.png" for name in faces.names]
    whole = _stored(tmp_path / "whole", faces.embedded.vectors, ids)
    from_index = verify_pairs(pairs, stored_images(whole, names, FakeEmbedder()), FakeEmbedder())
    assert from_index == verify_pairs(pairs, faces, FakeEmbedder())
    part = _stored(tmp_path / "part", faces.embedded.vectors[:4], ids[:4])
    lacking = verify_pairs(pairs, stored_images(part, names, FakeEmbedder()), FakeEmbedder())
    assert lacking["pairs_not_compared"] == 1
    assert lacking["failures"] == [{"name": "Cy/Cy_0010", "reason": "It is not in the index."}]
    other = _stored(tmp_path / "other", faces.embedded.vectors[:1], ["Zoe/Zoe_0001.png"])
    with pytest.raises(DataFolderError, match="holds none of the 5 photos"):
        stored_images(other, names, FakeEmbedder())
