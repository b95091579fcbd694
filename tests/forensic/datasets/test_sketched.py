from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.datasets.packed import PackedDataset
from forensic.datasets.sketched import SketchedFaces
from forensic.datasets.taught import DRAWN, PHOTO, TO_DRAW, load_targets
from forensic.errors import DataFolderError, RangeError
from forensic.runtime import seed_everything
from tests.support.adapter_data import strangers, write_adapter_data, write_taught_set


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapter_data(tmp_path_factory.mktemp("adapter"))


def whole(faces: SketchedFaces) -> dict[str, torch.Tensor]:
    seed_everything(0)
    return faces.batch(np.arange(len(faces)))


def test_every_face_comes_with_the_vector_of_its_photo(folder: Path) -> None:
    batch = whole(SketchedFaces(folder, split="train", photo_share=1.0))
    by_photo = {}
    for name in ("pairs", "photos"):
        packed = PackedDataset(folder / name)
        images = packed.images(packed.records, "photo")
        for image, vector in zip(images, load_targets(folder / name)[0], strict=True):
            by_photo[image.tobytes()] = vector
    photos = batch["kind"] == PHOTO
    assert photos.sum() == 14
    for face, target in zip(batch["face"][photos], batch["target"][photos], strict=True):
        np.testing.assert_array_equal(by_photo[face.numpy().tobytes()], target.numpy())


def test_drawings_fill_their_share(folder: Path) -> None:
    kinds = whole(SketchedFaces(folder, split="train", drawing_share=0.6, stored_share=0))["kind"]
    assert float((kinds == DRAWN).float().mean()) == pytest.approx(0.6, abs=0.1)
    assert (kinds == TO_DRAW).any()


def test_stored_drawings_are_shown_where_there_are_any(folder: Path) -> None:
    samples = SketchedFaces(folder, split="train", photo_share=0, stored_share=1, drawing_share=0)
    kinds = whole(samples)["kind"]
    assert (kinds == DRAWN).sum() > 8  # eight drawings by hand and the photos with a stored one


def test_validation_shows_each_held_out_drawing_once(folder: Path) -> None:
    held_out = SketchedFaces(folder, split="validation")
    batch = whole(held_out)
    assert len(held_out) == 4
    assert set(batch["kind"].tolist()) == {DRAWN}
    assert batch["others"].shape == (4, 6)
    training = SketchedFaces(folder, split="train").facts["bank"]
    assert (batch["target"] @ training.T).max() < 0.999  # nobody held out is in the bank


def test_a_source_can_be_left_out_of_training_alone(folder: Path) -> None:
    without = SketchedFaces(folder, split="train", without=["toy"], drawing_share=0)
    assert len(without.facts["bank"]) == 6
    assert len(SketchedFaces(folder, split="validation", without=["toy"])) == 4


def test_emphasis_repeats_the_drawings_of_a_source(folder: Path) -> None:
    even = SketchedFaces(folder, split="train", drawing_share=0.3)
    more = SketchedFaces(folder, split="train", drawing_share=0.3, emphasis={"other": 3.0})
    assert len(more) == len(even)  # the only source: its share is fixed


def test_mirroring_leaves_targets_alone(folder: Path) -> None:
    samples = SketchedFaces(folder, split="validation")
    plain = samples.batch(np.arange(4))
    flipped = samples.batch(np.arange(4), flips=np.array([True, False, True, False]))
    assert torch.equal(flipped["face"][0], plain["face"][0].flip(1))
    assert torch.equal(flipped["face"][1], plain["face"][1])
    assert torch.equal(flipped["target"], plain["target"])


def test_two_embedders_are_refused(tmp_path: Path) -> None:
    write_adapter_data(tmp_path)
    write_taught_set(
        tmp_path / "more", source="x", subjects=["a"], vectors=strangers(1, 3), teacher="1" * 64
    )
    with pytest.raises(DataFolderError, match="different embedders"):
        SketchedFaces(tmp_path, split="train")


def test_an_empty_folder_and_a_wrong_share(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataFolderError, match="dataset adapter"):
        SketchedFaces(tmp_path, split="train")
    with pytest.raises(RangeError):
        SketchedFaces(folder, split="train", drawing_share=0.95)
