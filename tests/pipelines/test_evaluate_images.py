"""`forensic evaluate` with a generator of random weights."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from forensic.generators import registry
from forensic.generators.csi import CSI
from forensic.generators.registry import LoadedGenerator
from forensic.images.frame import Frame
from forensic.images.io import load_image, write_image
from forensic.weights.bundle import save_bundle
from pipelines import evaluate_images
from pipelines.cli import main
from pipelines.evaluate_images import Faces, score, write_sheet
from tests.support.images import face_photo
from tests.support.packed import random_photo, write_packed

PHOTOS = np.stack([random_photo(seed) for seed in range(5)])
SKETCHES = PHOTOS[:, :, :, :1]


def test_score_is_the_mean_over_faces() -> None:
    """A constant error of 5 levels of 255 is 20 log10(255 / 5) dB on every face."""
    dark = PHOTOS // 2
    figures = score(dark + 5, Faces(SKETCHES, dark, list("abcde")), seed=0)
    assert figures["psnr"]["mean"] == pytest.approx(20 * math.log10(255 / 5), abs=1e-4)
    assert figures["psnr"]["standard_error"] == pytest.approx(0, abs=1e-6)
    assert figures["r"]["mean"] == pytest.approx(1, abs=1e-6)
    assert 0.5 < figures["ssim"]["mean"] < 1


def test_sheet_shows_sketch_face_and_photo_below_each_other(tmp_path: Path) -> None:
    made = 255 - PHOTOS
    write_sheet(tmp_path / "s.png", made, Faces(SKETCHES, PHOTOS, list("abcde")), n_faces=5, seed=0)
    sheet = load_image(tmp_path / "s.png")
    assert sheet.shape == (3 * 16, 5 * 16, 3)
    for i in range(5):
        column = sheet[:, 16 * i : 16 * i + 16]
        np.testing.assert_array_equal(column[:16], SKETCHES[i].repeat(3, axis=2))
        np.testing.assert_array_equal(column[16:32], made[i])
        np.testing.assert_array_equal(column[32:], PHOTOS[i])


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    torch.manual_seed(0)
    network = CSI(in_channels=1, width=4, n_blocks=1)
    path = tmp_path / "csi-line.safetensors"
    save_bundle(path, network.state_dict(), network.config, {"style": "line"})
    monkeypatch.setattr(registry, "find_weights", lambda name: path)
    return "csi-line"


def test_command_prints_figures_with_counts_beside_the_papers(
    generator: str, tmp_path: Path
) -> None:
    data = write_packed(tmp_path / "data", n_train=2, n_validation=4, geometry="csi-96")
    arguments = ["evaluate", "--generator", generator, "--data", str(data), "--device", "cpu"]
    arguments += ["--split", "validation", "--json", str(tmp_path / "f.json")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "csi-line (line sketches), 4 faces of 4 people" in result.output
    assert "paper (LFW, 11,990 faces: 20.1158 ± 0.0231)" in result.output
    record = json.loads((tmp_path / "f.json").read_text())
    assert record["n_faces"] == 4
    assert record["style"] == "line"
    assert set(record["figures"]) == {"psnr", "ssim", "r"}


def test_command_without_faces_says_what_to_give(generator: str) -> None:
    result = CliRunner().invoke(main, ["evaluate", "--generator", generator, "--device", "cpu"])
    assert result.exit_code == 2
    assert "--photos FOLDER with --sketches FOLDER" in result.output


def _evaluate(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["evaluate", "--device", "cpu", *map(str, words)])


def test_pairs_are_found_and_measured_in_the_generators_own_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that darkens its input, on pairs of one and the same picture without a style."""

    class Darker(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[1:] == (3, 64, 48)
            return 0.9 * x

    loaded = LoadedGenerator(
        "same", Darker(), "drawing", "0" * 64, geometry="cufs-250",
        frame=Frame(crop_hw=(200, 180), size_hw=(64, 48)),
    )  # fmt: skip
    monkeypatch.setattr(evaluate_images, "load_generator", lambda name, device: loaded)
    for seed in range(2):
        for side in ("photos", "sketches"):
            write_image(tmp_path / side / f"p{seed}.png", face_photo(seed))
    pairs = ("--photos", tmp_path / "photos", "--sketches", tmp_path / "sketches")
    found = _evaluate("--generator", "same", *pairs, "--json", tmp_path / "f.json")
    assert found.exit_code == 0, found.output
    assert "same (drawing sketches), 2 faces of 2 people" in found.output
    assert json.loads((tmp_path / "f.json").read_text())["figures"]["r"]["mean"] > 0.98
    write_image(tmp_path / "photos" / "p1.png", np.full((250, 200, 3), 255, np.uint8))
    blank = _evaluate("--generator", "same", *pairs)
    assert blank.exit_code != 0
    assert "p1" in blank.output


def test_a_data_set_in_another_geometry_is_refused(tmp_path: Path) -> None:
    data = write_packed(tmp_path / "data", n_train=2, n_validation=4)
    result = _evaluate("--generator", "csi-line", "--split", "train", "--data", data)
    assert result.exit_code != 0
    assert "--geometry csi-96" in result.output


def test_a_network_that_draws_photos_is_sent_to_its_own_benchmark(tmp_path: Path) -> None:
    result = _evaluate("--generator", "fcn-sr", "--data", tmp_path)
    assert result.exit_code != 0
    assert "forensic benchmark papers" in result.output
