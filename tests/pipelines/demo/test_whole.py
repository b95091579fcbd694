"""The demonstration as the README tells to run it: no fakes, every network of the package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensic.reports.record import BenchmarkReport
from pipelines.cli import main
from pipelines.demo.run import PAGE, REFERENCE, trained_styles


@pytest.mark.slow
def test_the_first_command_goes_the_whole_way_with_every_bundled_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(tmp_path / "none"))
    out = tmp_path / "out"
    words = ["demo", "--persons", "3", "--probes", "1", "--device", "cpu", "--out", str(out)]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    page = (out / PAGE).read_text(encoding="utf-8")
    records = json.loads((out / "report.json").read_text(encoding="utf-8"))["experiments"]
    styles = trained_styles()
    assert set(records) == {REFERENCE, *styles}
    for style, generator in styles.items():
        report = BenchmarkReport(**records[style])
        assert (report.probes, report.gallery, report.failures) == (1, 3, []), style
        assert set(report.methods) == {"none", generator}
        assert report.quality is not None, style
        measured = report.quality.methods[generator]
        assert (measured.faces, measured.people) == (1, 1)
        assert measured.ssim is not None
        assert generator in page
