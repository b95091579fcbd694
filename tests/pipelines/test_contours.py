"""`forensic dataset contours` on a tiny data set."""

from pathlib import Path

from click.testing import CliRunner, Result
from safetensors.torch import save_file

from forensic.backbones.pidinet import PiDiNet
from forensic.datasets.calibration import read_contours
from pipelines.cli import main
from tests.support.packed import write_packed


def draw(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["dataset", "contours", *arguments, "--device", "cpu"])


def test_contours_lie_beside_the_faces_with_the_name_of_their_detector(tmp_path: Path) -> None:
    folders = [str(write_packed(tmp_path / name)) for name in ("a", "b")]
    done = draw(*folders, "--detector", "gradient")
    assert done.exit_code == 0, done.output
    assert "8 faces, contours by gradient operator (no learned contours)" in done.output
    contours, detector = read_contours(tmp_path / "b")
    assert contours.shape == (8, 16, 16, 1)
    assert "no learned contours" in detector


def test_weights_of_pidinet(tmp_path: Path) -> None:
    save_file(PiDiNet().state_dict(), tmp_path / "edges.safetensors")
    folder = write_packed(tmp_path / "data")
    assert draw(str(folder), "--detector", str(tmp_path / "edges.safetensors")).exit_code == 0
    assert read_contours(folder)[1] == "pidinet"


def test_missing_weights_exit_with_2(tmp_path: Path) -> None:
    done = draw(str(write_packed(tmp_path / "data")), "--detector", str(tmp_path / "absent.pth"))
    assert done.exit_code == 2
    assert "forensic weights fetch pidinet" in done.output
