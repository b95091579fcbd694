from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from pipelines.bench_pipeline import _side, compare
from pipelines.cli import main
from tests.support.images import write_photos


@pytest.fixture(autouse=True)
def no_released_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(tmp_path / "weights"))
    torch.set_num_threads(1)


def test_both_sides_embed_the_same_photos(tmp_path: Path) -> None:
    result = compare(write_photos(tmp_path / "photos", range(2)), repeats=2, device="cpu")
    assert result.ours.faces == result.plain.faces == 2
    assert result.images == 2
    assert result.ratio == result.ours.images_per_s / result.plain.images_per_s
    assert "random" in result.weights


def test_a_side_reports_the_median_over_its_passes() -> None:
    side = _side("ours", [1.0, 2.0, 4.0], 8, faces=8)
    assert side.images_per_s == 4
    assert side.iqr_images_per_s == (3, 6)


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["bench", "pipeline", "--photos", str(tmp_path)])
    assert result.exit_code == 2
    assert "holds no image" in result.stderr


def test_a_single_pass_is_refused(tmp_path: Path) -> None:
    write_photos(tmp_path, range(1))
    arguments = ["bench", "pipeline", "--photos", str(tmp_path), "--repeats", "1"]
    assert CliRunner().invoke(main, arguments).exit_code == 2
