import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from forensic.cli.boundary import LazyGroup
from forensic.files import write_json
from forensic.reports.record import BenchmarkReport
from forensic.values import LEAD_ONLY
from tests.support.images import face_landmarks, write_pairs, write_photos
from tests.support.onnx_model import write_flatten_model

SEEDS = range(4)
DESCRIPTION = """
name = "flatten"
file = "flatten.onnx"
size = [112, 112]
template = "arcface-112"
mean = 127.5
scale = 0.0078125
channels = "rgb"
"""


def _forensic(*words: str) -> Result:
    lazy = {"benchmark": ("pipelines.benchmark:benchmark", "Measure accuracy.")}
    group = click.version_option("0")(LazyGroup("forensic", lazy=lazy))
    return CliRunner().invoke(group, ["benchmark", *words])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_pairs(folder, SEEDS)
    write_photos(folder / "others", range(4, 6))
    write_flatten_model(folder / "flatten.onnx")
    (folder / "flatten.toml").write_text(DESCRIPTION)
    points = {f"p{seed:04d}.png": face_landmarks(seed, take=1) for seed in SEEDS}
    points |= {f"photos/p{seed:04d}.png": face_landmarks(seed) for seed in SEEDS}
    write_json(
        folder / "landmarks.json",
        {name: {"landmarks": five.tolist()} for name, five in points.items()},
    )
    return folder


def _words(data: Path, out: Path, **changed: str) -> list[str]:
    options = {
        "photos": str(data / "photos"),
        "sketches": str(data / "sketches"),
        "methods": "none",
        "embedder": str(data / "flatten.toml"),
        "device": "cpu",
        "landmarks": str(data / "landmarks.json"),
        "cache": str(data / "cache"),
        "out": str(out),
        **changed,
    }
    words = ["pairs"]
    for name, value in options.items():
        words += [f"--{name}", value] if value else []
    return words


def test_command_writes_the_agreed_report(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = _forensic(*_words(data, out, kind="viewed", distractors=str(data / "others")))
    assert result.exit_code == 0, result.output
    assert "lead" in result.output.lower()
    assert {"report.json", "report.html", "cmc.png"} <= {path.name for path in out.iterdir()}
    report = json.loads((out / "report.json").read_text())
    assert report["probes"] == 4
    assert report["gallery"] in (4, 5, 6)
    method = report["methods"]["none"]
    assert set(method["cms"]) == {"1", "5", "10", "50"}
    assert all(0 <= rate <= 1 for rate in method["cms"].values())
    assert set(method["rank1"]) == {"successes", "trials", "ci95", "p_vs_chance"}
    assert method["rank1"]["trials"] == 4
    assert method["failures_to_enrol"] == 0
    assert report["embedder"]["name"] == "flatten"
    assert report["comparisons"] == []
    assert "--out" not in report["provenance"]["command"]
    BenchmarkReport(**report)


def test_page_carries_notice_and_pictures_unless_told_not_to(data: Path, tmp_path: Path) -> None:
    assert _forensic(*_words(data, tmp_path / "a")).exit_code == 0
    assert _forensic(*_words(data, tmp_path / "b"), "--no-faces").exit_code == 0
    with_faces = (tmp_path / "a" / "report.html").read_text()
    without = (tmp_path / "b" / "report.html").read_text()
    for page in (with_faces, without):
        assert LEAD_ONLY in page
        assert "http://" not in page
        assert "https://" not in page
        assert "<script" not in page
    assert "data:image/jpeg" in with_faces
    assert "data:image/jpeg" not in without


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"photos": "nowhere"}, "not a folder"),
        ({"methods": "csi-lime"}, "Unknown method 'csi-lime'"),
        ({"methods": "none,none"}, "twice"),
        ({"embedder": "nobody"}, "Unknown embedder"),
        ({"embedder": "absent.toml"}, "no file"),
        ({"device": "cuda:99"}, "cuda"),
        ({"aligned": "cubist"}, "Unknown aligned geometry"),
        ({"landmarks": "absent.json"}, "absent.json"),
        ({"distractors": "nowhere"}, "not a folder"),
    ],
)
def test_bad_input_is_one_clear_line_code_2_and_no_output(
    data: Path, tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    result = _forensic(*_words(data, tmp_path / "out", **changed))
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_help_needs_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from click.testing import CliRunner; from pipelines.benchmark import "
        "benchmark; CliRunner().invoke(benchmark, ['pairs', '--help']); "
        "sys.exit(bool({'torch', 'matplotlib', 'faiss', 'scipy'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
