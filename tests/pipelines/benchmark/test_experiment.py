import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forensic.errors import EmptyGallery, NoFaceError
from forensic.files import write_json
from forensic.images.io import load_image, write_image
from forensic.reports.benchmark import write_pages
from forensic.reports.record import BenchmarkReport
from pipelines.benchmark.cases import case_pictures, extremes
from pipelines.benchmark.experiment import Outcome, run_pairs
from pipelines.benchmark.folders import read_data
from pipelines.benchmark.system import System
from tests.support.benchmark import FakeFinder, FakeMethod, fake_system

N = 12


def _write(folder: Path, names: list[str], *, seed: int = 0) -> Path:
    """Blocks of noise: the fake embedder tells them apart and knows them again."""
    for number, name in enumerate(names):
        draw = np.random.default_rng([seed, number])
        blocks = draw.integers(0, 200, size=(8, 8, 3), dtype=np.uint8)
        write_image(folder / f"{name}.png", np.kron(blocks, np.ones((25, 25, 1), np.uint8)))
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    names = [f"p{number:02d}" for number in range(N)]
    photos, sketches = (_write(tmp_path / side, names) for side in ("photos", "sketches"))
    others = _write(tmp_path / "others", ["x1", "x2", "x3"], seed=1)
    return photos, sketches, others


def _run(folders: tuple[Path, Path, Path], system: System, *, cache: str = "cache") -> Outcome:
    photos, sketches, others = folders
    return run_pairs(
        read_data(photos, sketches, distractors=[others]),
        system,
        cache_folder=photos.parent / cache,
        sketch_kind="viewed",
        command=["forensic"],
    )


def test_a_good_method_finds_everyone_and_a_blind_one_does_not(
    folders: tuple[Path, Path, Path],
) -> None:
    methods = [FakeMethod("none"), FakeMethod("blind", blind=True)]
    report = _run(folders, fake_system(methods=methods)).report
    assert (report.probes, report.gallery, report.distractors) == (N, N + 3, 3)
    assert report.methods["none"].cms["1"] == 1
    assert report.methods["blind"].cms["1"] < 0.5
    (comparison,) = report.comparisons
    assert (comparison.a, comparison.b) == ("none", "blind")
    assert comparison.holm_p < 0.05
    assert comparison.is_primary
    assert report.methods["blind"].weights_sha256 == {"blind": "a" * 64}
    assert BenchmarkReport(**report.model_dump(mode="json")) == report


def test_same_input_same_report_from_scratch_from_cache_and_resumed(
    folders: tuple[Path, Path, Path],
) -> None:
    def figures(outcome: Outcome) -> bytes:
        record = outcome.report.model_dump(mode="json")
        times = record["provenance"].pop("times")
        assert record["provenance"]["seeds"] == {"bootstrap": 0, "gallery growth": 0}
        assert set(times) == {"started_at", "seconds", "work_seconds_by_stage"}
        write_json(folders[0] / "record.json", record)
        return (folders[0] / "record.json").read_bytes()

    first = figures(_run(folders, fake_system()))
    assert figures(_run(folders, fake_system())) == first
    assert figures(_run(folders, fake_system(), cache="fresh")) == first


KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.benchmark.experiment import run_pairs
from pipelines.benchmark.folders import read_data
from tests.support.benchmark import FakeMethod, fake_system

class Killed(FakeMethod):
    def probe(self, sketches, landmarks, *, is_simulated=False):
        os.kill(os.getpid(), signal.SIGKILL)

photos, sketches, others = map(Path, sys.argv[1:])
run_pairs(
    read_data(photos, sketches, distractors=[others]),
    fake_system(methods=[FakeMethod("none"), Killed("second")]),
    cache_folder=photos.parent / "cache",
    sketch_kind="viewed",
    command=["forensic"],
)
"""


def test_run_that_was_killed_goes_on_and_ends_as_one_that_was_not(
    folders: tuple[Path, Path, Path],
) -> None:
    words = [sys.executable, "-c", KILLED, *map(str, folders)]
    killed = subprocess.run(words, cwd=Path(__file__).parents[3], timeout=300, check=False)
    assert killed.returncode == -signal.SIGKILL
    finder = FakeFinder()
    reports = []
    for cache in ("cache", "fresh"):
        methods = [FakeMethod("none"), FakeMethod("second")]
        outcome = _run(folders, fake_system(methods=methods, finder=finder), cache=cache)
        reports.append(outcome.report.model_dump(mode="json"))
        reports[-1]["provenance"].pop("times")
        if cache == "cache":
            assert finder.seen == 0  # all faces were found before the kill
    assert reports[0] == reports[1]


def test_lost_sketch_and_lost_photo_are_misses_and_are_listed(
    folders: tuple[Path, Path, Path],
) -> None:
    photos, sketches, others = folders
    white = np.full((200, 200, 3), 255, np.uint8)
    write_image(sketches / "p00.png", white)
    write_image(photos / "p01.png", white)
    write_image(others / "x1.png", white - np.uint8(0))
    report = _run(folders, fake_system()).report
    method = report.methods["none"]
    assert method.failures_to_enrol == 2
    assert method.rank1.trials == N
    assert method.rank1.successes == N - 2
    assert method.ranks["p00"] is None
    assert [(f.role, f.name) for f in report.failures] == [
        ("sketch", "p00.png"), ("photo", "p01.png")
    ]  # fmt: skip
    assert report.duplicates_left_out == ["1:others/x1.png"]
    assert report.gallery == N + 2
    assert report.gallery_enrolled == N + 1


def test_white_on_black_and_blank_sketches_are_searched_as_identify_would_and_told(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    photos, sketches, _ = folders
    light = np.uint8(150) + load_image(photos / "p02.png") // 2
    write_image(photos / "p02.png", light)
    write_image(sketches / "p02.png", 255 - light)
    write_image(sketches / "p03.png", np.full((200, 200, 3), 240, np.uint8))
    outcome = _run(folders, fake_system())
    report = outcome.report
    assert report.mended == {"sketch": {"inverted": 1}}
    (failure,) = report.failures
    assert (failure.role, failure.name) == ("sketch", "p03.png")
    assert failure.reason.startswith("p03.png shows nothing")
    method = report.methods["none"]
    assert (method.rank1.trials, method.failures_to_enrol) == (N, 1)
    assert (method.ranks["p02"], method.ranks["p03"]) == (1, None)
    write_pages(report, [], tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "sketch: 1 inverted" in page
    assert "p03.png shows nothing" in page


def test_nothing_usable_is_an_error_not_a_zero(folders: tuple[Path, Path, Path]) -> None:
    photos, sketches, _ = folders
    for path in sketches.iterdir():
        write_image(path, np.full((200, 200, 3), 255, np.uint8))
    with pytest.raises(NoFaceError, match=r"None of the 12 sketch files.*p00\.png"):
        _run(folders, fake_system())
    _write(sketches, [path.stem for path in sorted(photos.iterdir())])
    for path in photos.iterdir():
        write_image(path, np.full((200, 200, 3), 255, np.uint8))
    with pytest.raises(EmptyGallery, match="None of the 12 photo files"):
        _run(folders, fake_system())


def test_pictures_show_the_extremes_of_the_best_method(folders: tuple[Path, Path, Path]) -> None:
    methods = [FakeMethod("blind", blind=True), FakeMethod("none")]
    system = fake_system(methods=methods)
    cases = case_pictures(_run(folders, system), system)
    assert len(cases) == 8
    assert {case.method for case in cases} == {"none"}
    assert all(case.rank == 1 and case.first is None for case in cases)


def test_extremes_leave_failures_out_and_name_nobody_twice() -> None:
    assert extremes(np.array([np.inf, 3, 1, np.inf])) == [2, 1]
    assert extremes(np.array([5.0, 1, 2, 9, 3, 4, 8, 7, 6, 10])) == [1, 2, 4, 5, 9, 3, 6, 7]
    assert extremes(np.array([np.inf])) == []
