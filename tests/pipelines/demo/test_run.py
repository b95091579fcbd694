"""The demonstration at tiny size, on fakes: page, report, and what happens when it fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forensic.cli.boundary import LazyGroup
from forensic.identification.inverter import MachineMadeFace
from forensic.identification.probes import Probes
from forensic.reports.demo import ABOUT
from forensic.reports.record import BenchmarkReport
from forensic.values import LEAD_ONLY, RGB, Landmarks
from pipelines.benchmark.system import System
from pipelines.demo.run import PAGE, DemoOptions, demonstrate, trained_styles
from tests.support.benchmark import FakeFinder, FakeMethod, fake_system

OPTIONS = DemoOptions(n_persons=4, n_probes=2, seed=1, embedder="fake", device="cpu", n_processes=1)


def test_only_simulated_styles_are_shown() -> None:
    assert trained_styles() == {
        "line": "csi-line", "pencil-gray": "csi-grayscale", "pencil-color": "csi-color",
        "xdog": "cali-sketch-128-narrow",
    }  # fmt: skip


class InvertingFake(FakeMethod):
    """Shows a face with each vector."""

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> Probes:
        found = super().probe(sketches, landmarks)
        face = MachineMadeFace(
            np.full((96, 96, 3), 128, np.uint8), landmarks[0], {"generator": self.name}
        )
        return Probes(found.vectors, (face,) * len(sketches))


def _system(finder: FakeFinder | None = None) -> System:
    return fake_system(methods=[FakeMethod(), InvertingFake("csi-line")], finder=finder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp("demo") / "out"
    return demonstrate(OPTIONS, system=_system(), styles={"line": "csi-line"}, out=out), out


def test_page_shows_sketch_machine_made_face_and_candidates(finished: tuple[str, Path]) -> None:
    page = (finished[1] / PAGE).read_text()
    assert page.count('alt="Sketch"') == 2
    assert page.count("<strong>Machine-made</strong>") == 2
    assert page.count("the person sketched</figcaption>") == 2, "all four persons are listed"
    assert page.count('alt="Candidate') == 8


def test_page_says_that_it_shows_leads_and_phantoms(finished: tuple[str, Path]) -> None:
    page = (finished[1] / PAGE).read_text()
    assert page.count(LEAD_ONLY) == 2
    assert page.count(ABOUT) == 2
    assert "<script" not in page
    assert "http" not in page


def test_summary_has_scores_of_every_method_and_the_notice(finished: tuple[str, Path]) -> None:
    text, out = finished
    for expected in ("second photo", "csi-line", "CMS 50", "100.0 %", ABOUT, LEAD_ONLY, PAGE):
        assert expected in text
    assert str(out) in text


def test_report_holds_the_figures_of_the_pairs_benchmark(finished: tuple[str, Path]) -> None:
    content = json.loads((finished[1] / "report.json").read_text())
    assert content["about"] == ABOUT
    line = BenchmarkReport.model_validate(content["experiments"]["line"])
    assert (line.probes, line.gallery) == (2, 4)
    assert set(line.methods) == {"none", "csi-line"}
    assert line.methods["none"].cms["50"] == 1.0, "there are only four"
    assert line.methods["none"].rank1.trials == 2
    assert [(c.a, c.b) for c in line.comparisons] == [("none", "csi-line")]
    reference = BenchmarkReport.model_validate(content["experiments"]["second photo"])
    assert (reference.probes, reference.gallery) == (4, 4)


def test_a_second_run_takes_the_place_of_the_first(finished: tuple[str, Path]) -> None:
    _, out = finished
    before = json.loads((out / "report.json").read_text())
    demonstrate(OPTIONS, system=_system(), styles={"line": "csi-line"}, out=out)
    after = json.loads((out / "report.json").read_text())
    ranks = [c["experiments"]["line"]["methods"]["none"]["ranks"] for c in (before, after)]
    assert ranks[0] == ranks[1]


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    small = replace(OPTIONS, n_persons=2, n_probes=1)
    with pytest.raises(KeyboardInterrupt):
        demonstrate(
            small, system=_system(FakeFinder(fails_after=0)), styles={"line": "csi-line"},
            out=tmp_path / "out",
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_missing_weights_end_with_a_remedy_and_no_output(tmp_path: Path) -> None:
    group = LazyGroup("forensic", lazy={"demo": ("pipelines.demo:demo", "Demonstration.")})
    result = CliRunner().invoke(
        group,
        ["demo", "--embedder", "facenet", "--out", str(tmp_path / "out"), "--device", "cpu"],
        env={"FORENSIC_WEIGHTS": str(tmp_path / "empty")},
    )
    assert result.exit_code == 2
    assert "Weights '" in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())
