"""`forensic dataset build`: what becomes of each photo."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forensic.datasets.packed import PackedDataset
from forensic.errors import DataFolderError, InputError
from forensic.faces.align import align_face
from forensic.images.color import rgb_to_gray
from forensic.images.io import write_image
from forensic.images.tensors import images_to_tensor
from forensic.metrics.psnr import psnr
from forensic.sketches.registry import SKETCH_STYLES
from forensic.weights.catalogue import load_catalogue
from pipelines.build_dataset import dataset
from tests.support.images import face_landmarks, face_photo, write_photos


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


def test_drawings_by_a_network_lie_where_the_photo_does(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "set"
    write_photos(photos, range(2))
    arguments = ["build", "--photos", f"demo={photos}", "--out", str(out), "--workers", "1"]
    options = ["--geometry", "arcface-112", "--drawn-by", "fcn-sr", "--split", "train"]
    result = CliRunner().invoke(dataset, [*arguments, *options])
    assert result.exit_code == 0, result.output
    packed = PackedDataset(out)
    records = packed.in_split("train")
    drawn = packed.images(records, "fcn-sr")
    assert drawn.shape == (2, 112, 112, 1)
    assert packed.manifest["drawn_by"] == {"fcn-sr": load_catalogue()["fcn-sr"].sha256}
    middle = slice(40, 100)  # eyes to mouth
    rows = [rgb_to_gray(face)[middle].ravel() for face in packed.images(records, "photo")]
    for i, drawing in enumerate(drawn[..., 0]):
        likeness = np.corrcoef([drawing[middle].ravel(), *rows])[0, 1:]
        moved = np.corrcoef(np.roll(drawing, 4, axis=1)[middle].ravel(), rows[i])[0, 1]
        assert likeness.argmax() == i
        assert likeness[i] > max(moved, 0.5)


def test_only_photo_to_sketch_networks_draw(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(1))
    arguments = ["build", "--photos", f"demo={tmp_path / 'photos'}", "--drawn-by", "csi-line"]
    result = CliRunner().invoke(dataset, [*arguments, "--out", str(tmp_path / "set")])
    assert isinstance(result.exception, InputError)
    assert "csi-line goes from sketch-to-photo" in str(result.exception)
    assert not (tmp_path / "set" / "manifest.json").exists()


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
