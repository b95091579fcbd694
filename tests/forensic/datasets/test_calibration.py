"""Faces with sketches, contours and edges."""

from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.datasets.calibration import (
    CalibrationFaces,
    detail,
    read_contours,
    save_contours,
)
from forensic.errors import DataFolderError, ShapeError, UnknownNameError
from forensic.sketches.registry import FREE_HAND, SKETCH_STYLES
from tests.support.calibration import write_calibration

EVERY = np.arange(4)


def test_a_batch_holds_what_the_losses_need(tmp_path: Path) -> None:
    faces = CalibrationFaces(write_calibration(tmp_path), split="train")
    batch = faces.batch(EVERY)
    assert {name: tuple(v.shape) for name, v in batch.items()} == {
        "sketch": (4, 1, 32, 32),
        "contour": (4, 1, 32, 32),
        "detail": (4, 1, 32, 32),
        "photo": (4, 3, 32, 32),
    }
    assert batch["contour"][2, 0, 0, 15].item() == pytest.approx(102 / 255)
    assert set(batch["detail"].unique().tolist()) == {0.0, 1.0}
    assert batch["detail"][0, 0, 16, 12:20].sum() >= 1  # the photo's own edge
    assert faces.facts == {"in_channels": 1, "contours": "toy"}
    assert faces.metadata["geometry"] == "test"


def test_validation_goes_round_the_styles_and_training_draws_them(tmp_path: Path) -> None:
    faces = CalibrationFaces(write_calibration(tmp_path), split="train")
    for i, style in enumerate(FREE_HAND):
        sketch = SKETCH_STYLES[style](faces.photos[i])
        wanted = torch.from_numpy(sketch).permute(2, 0, 1) / 255
        torch.testing.assert_close(faces.batch(EVERY)["sketch"][i], wanted)
    still = np.zeros(4, dtype=bool)
    torch.manual_seed(3)
    first = faces.batch(EVERY, flips=still)["sketch"]
    torch.manual_seed(3)
    assert torch.equal(faces.batch(EVERY, flips=still)["sketch"], first)
    others = [faces.batch(EVERY, flips=still)["sketch"] for _ in range(5)]
    assert any(not torch.equal(first, other) for other in others)


def test_everything_is_mirrored_together(tmp_path: Path) -> None:
    faces = CalibrationFaces(write_calibration(tmp_path), split="train", styles=["xdog"])
    plain = faces.batch(EVERY)
    turned = faces.batch(EVERY, flips=np.array([True, False, True, False]))
    for name, images in plain.items():
        assert torch.equal(turned[name][0], images[0].flip(2)), name
        assert torch.equal(turned[name][1], images[1]), name
    assert torch.equal(faces.batch(EVERY)["photo"], plain["photo"])


def test_frame_shrinks_every_picture_and_edges_are_found_afterwards(tmp_path: Path) -> None:
    faces = CalibrationFaces(write_calibration(tmp_path), split="train", size_hw=[16, 16])
    assert {v.shape[2:] for v in faces.batch(EVERY).values()} == {(16, 16)}
    assert np.array_equal(faces.edges[0], detail(faces.photos[0]))


def test_several_data_sets_make_one(tmp_path: Path) -> None:
    write_calibration(tmp_path / "a")
    write_calibration(tmp_path / "b", first=100, n_train=3, n_validation=0)
    faces = CalibrationFaces(tmp_path, split="train")
    assert len(faces) == 7
    assert faces.records[4].key == "toy/100"
    assert faces.batch(np.array([5]))["contour"].max().item() == pytest.approx(101 / 255)
    assert len(CalibrationFaces(tmp_path, split="validation")) == 2
    assert len(CalibrationFaces(tmp_path, split="train", limit=2)) == 2


def test_drawings_go_through_the_style_and_a_style_stands_in(tmp_path: Path) -> None:
    write_calibration(tmp_path / "a", drawing=True)
    write_calibration(tmp_path / "b", first=100)
    faces = CalibrationFaces(tmp_path, split="train", style="line", styles=["xdog", "drawing"])
    negative = np.repeat(255 - faces.photos[0][:, :, :1], 3, axis=2)
    assert np.array_equal(faces.sketches[1, 0], SKETCH_STYLES["line"](negative))
    assert np.array_equal(faces.sketches[1, 4], faces.sketches[0, 4])
    with pytest.raises(DataFolderError, match="without a drawing"):
        CalibrationFaces(tmp_path, split="train", styles=["drawing"])


def test_contours_of_another_data_set(tmp_path: Path) -> None:
    one, other = write_calibration(tmp_path / "a"), write_calibration(tmp_path / "b", first=9)
    assert read_contours(one)[1] == "toy"
    (one / "contours.json").write_bytes((other / "contours.json").read_bytes())
    with pytest.raises(DataFolderError, match="another data set"):
        read_contours(one)
    (one / "contours.json").unlink()
    with pytest.raises(DataFolderError, match="forensic dataset contours"):
        CalibrationFaces(one, split="train")


def test_refused(tmp_path: Path) -> None:
    folder = write_calibration(tmp_path / "a")
    with pytest.raises(DataFolderError, match="test"):
        CalibrationFaces(folder, split="test")
    with pytest.raises(UnknownNameError, match="xdog"):
        CalibrationFaces(folder, split="train", styles=["xdogs"])
    with pytest.raises(DataFolderError, match="holds none"):
        CalibrationFaces(tmp_path / "none", split="train")
    with pytest.raises(DataFolderError, match="2 contours for 6"):
        save_contours(folder, np.zeros((2, 8, 8, 1), np.uint8), detector="", weights_sha256="")
    with pytest.raises(ShapeError):
        save_contours(folder, np.zeros((6, 8, 8), np.uint8), detector="", weights_sha256="")
    write_calibration(tmp_path / "b", first=50, detector="other")
    with pytest.raises(DataFolderError, match="mixes contour detectors"):
        CalibrationFaces(tmp_path, split="train")
