from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.datasets.packed import PackedDataset
from forensic.datasets.taught import (
    DRAWN,
    PHOTO,
    TO_DRAW,
    TaughtFaces,
    load_targets,
    save_targets,
)
from forensic.errors import DataFolderError, RangeError, ShapeError
from forensic.runtime import seed_everything
from tests.support.packed import random_photo
from tests.support.taught import TEACHER, write_taught


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_taught(tmp_path_factory.mktemp("taught"))


def as_bytes(faces: torch.Tensor) -> np.ndarray:
    return (faces * 255).round().byte().permute(0, 2, 3, 1).numpy()


def test_targets_come_back_with_their_teacher(folder: Path) -> None:
    vectors, teacher = load_targets(folder)
    assert vectors.shape == (16, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert teacher["weights_sha256"] == TEACHER["weights_sha256"]


def test_targets_of_another_state_are_refused(tmp_path: Path) -> None:
    write_taught(tmp_path, n_train=2, n_validation=1, n_drawings=1)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace("arcface-112", "csi-96"))
    with pytest.raises(DataFolderError, match="dataset teach"):
        load_targets(tmp_path)


def test_one_row_for_each_record(folder: Path) -> None:
    with pytest.raises(ShapeError):
        save_targets(folder, np.ones((3, 8), np.float32), TEACHER)
    assert len(load_targets(folder)[0]) == 16


def test_a_folder_without_teacher_says_what_to_do(tmp_path: Path) -> None:
    write_taught(tmp_path, n_train=2, n_validation=1, n_drawings=1)
    (tmp_path / "targets.json").unlink()
    with pytest.raises(DataFolderError, match="dataset teach"):
        TaughtFaces(tmp_path, split="train")


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="dataset build"):
        TaughtFaces(tmp_path, split="train")


def test_drawings_reach_their_share(folder: Path) -> None:
    training = TaughtFaces(folder, split="train", drawing_share=0.5)
    batch = training.batch(np.arange(len(training)))
    assert (batch["kind"] == DRAWN).float().mean() == pytest.approx(0.5)


def test_a_face_goes_with_the_vector_of_its_own_photo(folder: Path) -> None:
    training = TaughtFaces(folder, split="train", photo_share=1.0)
    vectors, _ = load_targets(folder)
    drawn = int(np.flatnonzero([kind == DRAWN for _, kind in training._items])[2])
    batch = training.batch(np.array([5, drawn]))
    np.testing.assert_array_equal(batch["target"].numpy(), vectors[[5, 2]])
    faces = as_bytes(batch["face"])
    np.testing.assert_array_equal(faces[0], random_photo(5, 112))
    np.testing.assert_array_equal(faces[1], 255 - random_photo(2, 112))


def test_mirrored_only_where_flagged(folder: Path) -> None:
    training = TaughtFaces(folder, split="train", photo_share=1.0)
    faces = as_bytes(training.batch(np.array([3, 3]), flips=np.array([True, False]))["face"])
    np.testing.assert_array_equal(faces[0], random_photo(3, 112)[:, ::-1])
    np.testing.assert_array_equal(faces[1], random_photo(3, 112))


def test_seed_fixes_the_batch(folder: Path) -> None:
    training = TaughtFaces(folder, split="train", photo_share=0.5, n_others=6)
    batches = []
    for _ in range(2):
        seed_everything(11)
        batches.append(training.batch(np.arange(12)))
    assert {PHOTO, TO_DRAW} == set(batches[0]["kind"].tolist())
    for name, value in batches[0].items():
        torch.testing.assert_close(value, batches[1][name], rtol=0, atol=0)
    assert batches[0]["others"].shape == (6, 8)


def test_stored_styles_are_used(tmp_path: Path) -> None:
    write_taught(tmp_path, n_train=4, n_validation=1, n_drawings=0, styles=True)
    training = TaughtFaces(tmp_path, split="train", photo_share=0.0)
    seed_everything(0)
    kinds = training.batch(np.repeat(np.arange(4), 20))["kind"]
    assert set(kinds.tolist()) == {TO_DRAW, DRAWN}


def test_validation_asks_everything_once(folder: Path) -> None:
    validation = TaughtFaces(folder, split="validation")
    kinds = validation.batch(np.arange(len(validation)))["kind"]
    assert kinds.tolist() == [PHOTO] * 4 + [TO_DRAW] * 4 + [DRAWN] * 4
    assert len(validation.batch(np.array([0]))["others"]) == 4


def test_data_sets_beside_each_other_make_one(tmp_path: Path) -> None:
    write_taught(tmp_path / "a", n_train=3, n_validation=1, n_drawings=1)
    write_taught(tmp_path / "b", n_train=2, n_validation=1, n_drawings=1, first_seed=50)
    training = TaughtFaces(tmp_path, split="train", photo_share=1.0)
    assert len(training.photos) == 5
    vectors, _ = load_targets(tmp_path / "b")
    drawn = next(i for i, item in enumerate(training._items) if item == (3, DRAWN))
    batch = training.batch(np.array([4, drawn]))
    np.testing.assert_array_equal(batch["target"].numpy(), vectors[[1, 0]])
    np.testing.assert_array_equal(as_bytes(batch["face"])[1], 255 - random_photo(50, 112))


def test_two_teachers_are_refused(tmp_path: Path) -> None:
    write_taught(tmp_path / "a", n_train=2, n_validation=1, n_drawings=1)
    other = {"embedder": "other", "weights_sha256": "1" * 64}
    write_taught(tmp_path / "b", n_train=2, n_validation=1, n_drawings=1, teacher=other)
    with pytest.raises(DataFolderError, match="different networks"):
        TaughtFaces(tmp_path, split="train")


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    write_taught(tmp_path, n_train=2, n_validation=0, n_drawings=1)
    assert len(PackedDataset(tmp_path).records) == 2
    with pytest.raises(DataFolderError, match="validation"):
        TaughtFaces(tmp_path, split="validation")


def test_shares_out_of_range_are_refused(folder: Path) -> None:
    with pytest.raises(RangeError):
        TaughtFaces(folder, split="train", drawing_share=0.95)
    with pytest.raises(RangeError):
        TaughtFaces(folder, split="train", photo_share=-0.1)
