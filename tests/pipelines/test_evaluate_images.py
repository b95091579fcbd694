"""`forensic evaluate` with a generator of random weights."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from forensic.generators import registry
from forensic.generators.csi import CSI
from forensic.images.io import load_image
from forensic.weights.bundle import save_bundle
from pipelines.cli import main
from pipelines.evaluate_images import Faces, score, write_sheet
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
    data = write_packed(tmp_path / "data", n_train=2, n_validation=4)
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
