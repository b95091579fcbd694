"""`forensic dataset boundaries` on two labelled pictures."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from scipy.ndimage import distance_transform_edt

from forensic.datasets.deformed import DeformedPairs
from forensic.datasets.packed import PackedDataset
from pipelines.cli import main


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for i in range(2):
        labels = np.zeros((64, 64), dtype=np.uint8)
        labels[10 : 40 + i, 12:50] = 17
        photo = np.repeat(labels[:, :, None], 3, 2) * 10
        Image.fromarray(photo).save(tmp_path / "images" / f"{i}.png")
        Image.fromarray(labels).save(tmp_path / "masks" / f"{i}.png")
    return tmp_path


def build(faces: Path, out: str, *options: str) -> Result:
    folders = ["--images", str(faces / "images"), "--masks", str(faces / "masks")]
    split = ["--validation-fraction", "0", "--test-fraction", "0"]
    arguments = ["dataset", "boundaries", *folders, "--out", str(faces / out), *split, *options]
    return CliRunner().invoke(main, arguments)


def sketches(folder: Path) -> dict[str, np.ndarray]:
    packed = PackedDataset(folder)
    return {name: packed.images(packed.records, name) for name in ("boundary", "deformed")}


def test_triplets_lie_in_the_data_set(faces: Path) -> None:
    done = build(faces, "out")
    assert done.exit_code == 0, done.output
    assert "2 train" in done.output
    drawn = sketches(faces / "out")
    assert all(s.shape == (2, 64, 64, 1) and set(np.unique(s)) == {0, 255} for s in drawn.values())
    assert (drawn["boundary"] != drawn["deformed"]).any()
    top = np.flatnonzero(drawn["boundary"][0, :, 30, 0] == 0).tolist()
    assert top[0] in (9, 10)
    assert top[-1] in (39, 40)
    assert len(DeformedPairs(faces / "out", split="train")) == 2


def test_strokes_are_the_same_each_time_and_without_offset_lie_on_the_edge(faces: Path) -> None:
    for out, options in (("a", []), ("b", []), ("c", ["--max-offset", "0"])):
        assert build(faces, out, *options).exit_code == 0
    a, b, c = (sketches(faces / out) for out in "abc")
    np.testing.assert_array_equal(a["deformed"], b["deformed"])
    # The tolerance is 2 px of 512, a quarter of a pixel here; more than one is rounding.
    for straight, still in zip(c["boundary"], c["deformed"], strict=True):
        assert distance_transform_edt(straight[:, :, 0])[still[:, :, 0] == 0].max() <= np.sqrt(2)


def test_palette_of_a_mask_does_not_matter(faces: Path) -> None:
    assert build(faces, "gray").exit_code == 0
    for path in (faces / "masks").iterdir():
        labels = np.asarray(Image.open(path))
        mask = Image.new("P", labels.shape[::-1])
        mask.putpalette([255, 0, 0] + 255 * [0, 40, 200])
        mask.putdata(labels.ravel().tolist())
        mask.save(path)
    assert build(faces, "palette").exit_code == 0
    gray, palette = sketches(faces / "gray"), sketches(faces / "palette")
    np.testing.assert_array_equal(gray["boundary"], palette["boundary"])


def test_all_faces_can_be_held_out(faces: Path) -> None:
    assert "2 test" in build(faces, "out", "--test-fraction", "1").output


def test_coloured_mask_and_odd_size_are_refused(faces: Path) -> None:
    colour = np.zeros((64, 64, 3), dtype=np.uint8)
    colour[:, :, 0] = 9
    Image.fromarray(colour).save(faces / "masks" / "1.png")
    refused = build(faces, "out")
    assert refused.exit_code != 0
    assert "label per pixel" in refused.output
    Image.fromarray(np.zeros((60, 60), dtype=np.uint8)).save(faces / "masks" / "1.png")
    refused = build(faces, "odd")
    assert refused.exit_code != 0
    assert "divides 512" in refused.output
