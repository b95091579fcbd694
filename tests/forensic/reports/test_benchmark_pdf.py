import re
from pathlib import Path

import numpy as np
import pytest

from forensic.reports.benchmark_pdf import write_pdf
from forensic.reports.cases import CasePictures
from forensic.reports.plots import draw_cmc, write_figure
from forensic.reports.record import BenchmarkReport, FailureRecord
from tests.support.reports import example_report


@pytest.fixture
def cmc(tmp_path: Path) -> Path:
    write_figure(draw_cmc({"none": [0.2, 0.4]}, probes=40, gallery=60), tmp_path / "cmc.png")
    return tmp_path / "cmc.png"


def _pages(path: Path) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", path.read_bytes()))


def test_same_report_gives_the_same_bytes(tmp_path: Path, cmc: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        write_pdf(example_report(), [], [("cmc", cmc)], tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


def test_long_lists_and_names_flow_over_pages(tmp_path: Path, cmc: Path) -> None:
    failures = [
        FailureRecord(role="sketch", name=f"<b>{i}</b>" + "long" * 60, reason="No face & more")
        for i in range(150)
    ]
    record = example_report().model_dump(mode="json") | {"failures": failures}
    write_pdf(example_report(), [], [("cmc", cmc)], tmp_path / "short.pdf")
    write_pdf(BenchmarkReport(**record), [], [("cmc", cmc)], tmp_path / "long.pdf")
    assert _pages(tmp_path / "long.pdf") > _pages(tmp_path / "short.pdf") + 5


def test_pictures_are_inside_only_when_given(tmp_path: Path, cmc: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 50, 3), dtype=np.uint8)
    case = CasePictures(
        "p1", "csi-line", 2, sketch=noise, machine_made=noise, mate=noise, first=noise
    )
    write_pdf(example_report(), [case] * 3, [("cmc", cmc)], tmp_path / "with.pdf")
    write_pdf(example_report(), [], [("cmc", cmc)], tmp_path / "without.pdf")
    images = [
        len(re.findall(rb"/Subtype /Image", (tmp_path / name).read_bytes()))
        for name in ("with.pdf", "without.pdf")
    ]
    assert images[0] > images[1]
