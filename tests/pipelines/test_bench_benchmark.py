from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from forensic.errors import InputError
from forensic.images.io import write_image
from pipelines import bench_benchmark
from pipelines.bench_benchmark import compare
from pipelines.benchmark.system import System
from pipelines.cli import main
from tests.support.benchmark import FakeMethod, fake_system
from tests.support.images import face_photo, write_photos


@pytest.fixture(autouse=True)
def no_released_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(tmp_path / "weights"))
    torch.set_num_threads(1)


def test_both_sides_do_the_same_on_the_same_photos(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(2))
    result = compare(
        tmp_path / "photos", n_images=2, repeats=1, methods=("raw-line",), embedder="pixels",
        device="cpu",
    )  # fmt: skip
    assert result.images == 2
    assert result.agreement > 0.99
    assert result.ratio == result.seconds_single[0] / result.seconds_batched[0]
    assert "pixel correlation" in result.weights
    assert list(result.stages) == ["finding faces", "reading", "raw-line", "gallery"]


def test_networks_as_trained_give_the_vectors_of_the_fast_ones(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(2))
    result = compare(
        tmp_path / "photos", n_images=2, repeats=1, methods=("csi-line",), embedder="sketchface",
        device="cpu",
    )  # fmt: skip
    assert result.agreement > 0.995


def _with(monkeypatch: pytest.MonkeyPatch, system: System) -> None:
    monkeypatch.setattr(bench_benchmark, "_system", lambda **_named: system)


def test_sides_that_differ_give_no_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unsteady(FakeMethod):
        def probe(self, sketches, landmarks, *, is_simulated=False):  # type: ignore[no-untyped-def]
            self._blind = len(sketches) == 1
            return super().probe(sketches, landmarks, is_simulated=is_simulated)

    _with(monkeypatch, fake_system(methods=[Unsteady()]))
    for seed in range(3):
        write_image(tmp_path / f"{seed}.png", face_photo(seed))
    with pytest.raises(InputError, match="The two sides differ"):
        compare(tmp_path, n_images=3, repeats=1, methods=("none",), embedder="x", device="cpu")


def test_command_prints_the_ratio_and_refuses_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with(monkeypatch, fake_system())
    words = ["bench", "benchmark", "--lfw", str(tmp_path / "photos"), "--repeats", "1"]
    assert CliRunner().invoke(main, words).exit_code == 2
    write_photos(tmp_path / "photos", range(2))
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "ratio " in result.output
    assert "2 photos, raw-line, csi-line" in result.output
    assert "finding faces" in result.output
