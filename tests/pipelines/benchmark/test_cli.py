import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from forensic.cli.boundary import LazyGroup
from forensic.files import write_json
from forensic.reports.record import BenchmarkReport, load_report
from forensic.values import LEAD_ONLY
from pipelines.benchmark.cli import choose_embedder
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
    write_pairs(folder / "strangers", range(8, 11))
    (folder / "labels.csv").write_text("probe,group\np0000,x\np0001,y\np0008,x\np0009,y\n")
    write_flatten_model(folder / "flatten.onnx")
    (folder / "flatten.toml").write_text(DESCRIPTION)
    points = {f"p{seed:04d}.png": face_landmarks(seed, take=1) for seed in SEEDS}
    points |= {f"photos/p{seed:04d}.png": face_landmarks(seed) for seed in SEEDS}
    points |= {f"non-mated/p{seed:04d}.png": face_landmarks(seed, take=1) for seed in range(8, 11)}
    write_json(
        folder / "landmarks-open.json",
        {name: {"landmarks": five.tolist()} for name, five in points.items()},
    )
    points = {name: five for name, five in points.items() if "non-mated" not in name}
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


@pytest.mark.parametrize(
    ("asked", "methods", "used"),
    [
        ("sketchface", "best,none", "drawn:sketchface"),
        ("plain:sketchface", "best", "plain:sketchface"),
        ("sketchface", "adapter", "sketchface"),
    ],
)
def test_for_best_the_gallery_is_drawn_and_that_is_told(
    data: Path, tmp_path: Path, asked: str, methods: str, used: str
) -> None:
    result = _forensic(*_words(data, tmp_path / "out", methods=methods, embedder=asked))
    assert result.exit_code == 0, result.output
    report = load_report(tmp_path / "out" / "report.json")
    assert report.embedder.name == used.removeprefix("plain:")
    assert used in report.provenance["command"]
    assert ("`--embedder plain:sketchface` takes" in result.stderr) is (used != asked)


def test_the_gallery_of_an_index_stays_as_it_is() -> None:
    assert choose_embedder("sketchface", "best") == "drawn:sketchface"
    assert choose_embedder("sketchface", "best", Path("index")) == "sketchface"
    assert choose_embedder(None, "fcn-sketch") == "fcn:fcn-sr"


def test_the_style_of_a_hand_is_taken_out_and_told(data: Path, tmp_path: Path) -> None:
    words = _words(data, tmp_path / "alone")
    assert _forensic(*words).exit_code == 0
    changed = {"same-hand": str(data / "sketches")}
    result = _forensic(*_words(data, tmp_path / "hand", **changed))
    assert result.exit_code == 0, result.output
    alone, beside = (load_report(tmp_path / name / "report.json") for name in ("alone", "hand"))
    assert alone.same_hand is None
    assert beside.same_hand is not None
    assert beside.same_hand.sketches == 4
    assert "hand known from" in beside.subject
    page = (tmp_path / "hand" / "report.html").read_text()
    assert "what 4 sketches by the same artist share was taken out" in page
    worked = beside.provenance["times"]["work_seconds_by_stage"]
    assert "none" in worked, "vectors without the hand are no vectors with it"


def test_a_hand_has_no_meaning_among_drawings(data: Path, tmp_path: Path) -> None:
    changed = {"same-hand": str(data / "sketches"), "methods": "fcn-sketch", "embedder": "gray"}
    result = _forensic(*_words(data, tmp_path / "out", **changed))
    assert result.exit_code != 0
    assert "--same-hand" in result.output


@pytest.mark.parametrize("embedder", ["flatten", "pixels"])
def test_open_set_and_cohorts_from_the_command_line(
    data: Path, tmp_path: Path, embedder: str
) -> None:
    changed = {
        "non-mated": str(data / "strangers" / "sketches"),
        "cohorts": str(data / "labels.csv"),
        "landmarks": str(data / "landmarks-open.json"),
        "fpir": "0.5,0.34",
    } | ({"embedder": "pixels"} if embedder == "pixels" else {})
    out = tmp_path / "out"
    result = _forensic(*_words(data, out, **changed))
    assert result.exit_code == 0, result.output
    report = load_report(out / "report.json")
    assert report.open_set
    assert report.open_set.nonmated == 3
    points = report.open_set.methods["none"].points
    assert [point.fpir_wanted for point in points] == [0.5, 0.34]
    assert all(point.fpir <= point.fpir_wanted for point in points)
    assert [group.name for group in report.cohorts[0].cohorts] == ["x", "y"]
    assert report.cohorts[0].unlabelled == 3
    assert {"--non-mated", "--fpir", "--cohorts"} <= set(report.provenance["command"])
    assert (out / "det.svg").is_file()
    wanted = "pixel correlation" if embedder == "pixels" else "flatten"
    assert report.embedder.name == wanted


def test_calibration_too_small_is_refused_before_any_work(data: Path, tmp_path: Path) -> None:
    known = [str(data / "strangers" / side) for side in ("photos", "sketches")]
    words = _words(data, tmp_path / "out", kind="viewed")
    result = _forensic(*words, "--calibrate", *known)
    assert result.exit_code == 2
    assert "holds 3 people, needed are at least 50" in result.output
    assert list(tmp_path.iterdir()) == []


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
        ({"non-mated": "nowhere"}, "not a folder"),
        ({"cohorts": "labels.csv"}, "needs --non-mated"),
        ({"gallery-index": "nowhere"}, "nowhere"),
        ({"embedder": "vgg:nowhere.pth"}, "nowhere.pth"),
        ({"fpir": "0.1,2"}, "rates between 0 and 1"),
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
