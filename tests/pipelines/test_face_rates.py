import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forensic.faces.detect import FaceDetector
from forensic.faces.geometry import similarity_between, warp
from forensic.faces.landmarks import ALIGNED
from forensic.images.io import write_image
from pipelines.face_rates import face_rates, measure_face_rates
from tests.support.images import face_landmarks, face_photo, face_sketch, write_photos


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder, range(2))
    write_image(folder / "blank.png", np.full((250, 200, 3), 255, np.uint8))
    (folder / "broken.png").write_bytes(b"not a picture")
    return folder


def test_counts_add_up_and_misses_are_named(folder: Path) -> None:
    result = CliRunner().invoke(face_rates, ["--photos", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    rates = json.loads(result.stdout)
    assert (rates["n_images"], rates["n_found"], rates["n_unreadable"]) == (3, 2, 1)
    assert rates["missed"] == ["blank.png"]
    assert sum(rates["n_by_look"].values()) == 2
    # Exact 95 % interval of 2 of 3, from the published tables.
    assert rates["interval"] == pytest.approx([0.0943, 0.9916], abs=1e-4)


def test_text_names_rate_interval_and_look(folder: Path) -> None:
    result = CliRunner().invoke(face_rates, ["--photos", str(folder)])
    assert "2 of 3 photo images give a face: 66.67 %" in result.stdout
    assert "Clopper-Pearson 9.43 to 99.16 %" in result.stdout
    assert "mtcnn/plain" in result.stdout


def test_drawings_are_mended_first_and_blank_ones_are_misses(tmp_path: Path) -> None:
    write_image(tmp_path / "negative.png", 255 - face_sketch(0))
    write_image(tmp_path / "blank.png", np.full((250, 200, 3), 255, np.uint8))
    rates = measure_face_rates(sorted(tmp_path.iterdir()), FaceDetector(), kind="sketch")
    assert (rates.n_images, rates.n_found, rates.n_unreadable) == (2, 1, 0)
    assert rates.missed == ("blank.png",)


def test_eyes_are_checked_against_a_known_geometry(tmp_path: Path) -> None:
    to_cufs = similarity_between(face_landmarks(0), ALIGNED["cufs"].landmarks)
    aligned = warp(face_photo(0), to_cufs, (250, 200))
    write_image(tmp_path / "aligned.png", aligned)
    # Twelve pixels are about a quarter of the distance between the eyes.
    write_image(tmp_path / "moved.png", np.roll(aligned, 12, axis=0))
    rates = measure_face_rates(
        sorted(tmp_path.iterdir()), FaceDetector(), kind="photo", aligned="cufs"
    )
    assert (rates.n_found, rates.n_eyes_off) == (2, 1)


def test_exactly_one_folder_is_wanted(folder: Path) -> None:
    assert CliRunner().invoke(face_rates, []).exit_code == 2
    both = ["--photos", str(folder), "--sketches", str(folder)]
    assert CliRunner().invoke(face_rates, both).exit_code == 2
