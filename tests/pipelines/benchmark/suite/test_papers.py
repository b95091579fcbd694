"""Tables of papers.json as a page shows them."""

from pathlib import Path
from typing import Any

import pytest

from forensic.errors import DataFolderError
from forensic.files import write_json
from forensic.weights.catalogue import load_catalogue
from pipelines.benchmark.suite.faces import Shown
from pipelines.benchmark.suite.papers import papers_table
from pipelines.papers.tables import Measured, PaperTable, Row, as_json, printed_only

COLUMNS = {"psnr": "PSNR (dB)", "fid": "FID", "a": "SSIM", "p": "p"}
OURS = {
    "psnr": Measured(17.8123, (17.414, 18.182)),
    "a": Measured(0.63651, (0.6317, 0.6411)),
    "p": Measured(2.6e-13),
}
PRINTED = {"psnr": 20.25, "fid": 58.43}


def row(name: str, split: str = "test part", sha: str = "0" * 64, **facts: Any) -> Row:
    given = {"paper": PRINTED, "ours": OURS, "n": 100, "images_seen": 13_600} | facts
    return Row(name, split=split, weights_sha256=sha, **given)


def shown(folder: Path, rows: list[Row]) -> list[str]:
    table = PaperTable("toy-1", "Toy, Table 1", COLUMNS, rows, "A note.")
    write_json(folder / "papers.json", {"tables": [as_json(table)]})
    return papers_table(Shown([("toy-1", folder / "papers.json")])).splitlines()


def test_figures_with_interval_images_and_the_papers_own(tmp_path: Path) -> None:
    head, marks, line, *rest = shown(tmp_path, [row("ours")])
    assert head == "|  | trained on | n | PSNR (dB) | SSIM | p | paper: PSNR (dB) / FID |"
    assert marks.count("|") == head.count("|")
    assert line == (
        "| ours | 13,600 | 100 | 17.81 (17.41–18.18) | 0.6365 (0.6317–0.6411) | 2.6e-13 "
        "| 20.25 / 58.43 |"
    )
    assert rest == ["", "Measured on: test part.", "", "A note. `--only toy-1`"]


def test_rows_measured_apart_say_where(tmp_path: Path) -> None:
    head, _, first, second, *rest = shown(tmp_path, [row("a"), row("b", split="others", paper={})])
    assert "| measured on | paper: " in head
    assert first.endswith("| test part | 20.25 / 58.43 |")
    assert second.endswith("| others | – |")
    assert not any("Measured on" in line for line in rest)


def test_networks_of_the_package_are_told(tmp_path: Path) -> None:
    sha = load_catalogue()["fcn-sr"].sha256
    _, _, named, called, *_ = shown(tmp_path, [row("fcn-sr, x", sha=sha), row("Ours", sha=sha)])
    assert named.startswith("| fcn-sr, x (bundled) |")
    assert called.startswith("| Ours, `fcn-sr` |")


def test_rows_that_lack_the_same_stand_together(tmp_path: Path) -> None:
    gaps = [Row(name, PRINTED, missing="no such weights") for name in ("c", "d")]
    lines = shown(tmp_path, [*gaps, printed_only("pix2pix", {"psnr": 18.83})])
    assert "- c (20.25 / 58.43); d (20.25 / 58.43): no such weights" in lines
    assert "Other systems, as the paper prints them: pix2pix 18.83." in lines
    assert not any(line.startswith("|") for line in lines)


def test_only_some_rows(tmp_path: Path) -> None:
    shown(tmp_path, [row("a"), row("b"), Row("c", missing="no such weights")])
    place = [("toy-1", tmp_path / "papers.json")]
    _, _, *lines = papers_table(Shown(place, methods=["b", "c"])).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("| b |")


def test_a_table_that_was_not_made(tmp_path: Path) -> None:
    shown(tmp_path, [row("ours")])
    with pytest.raises(DataFolderError, match="toy-2"):
        papers_table(Shown([("toy-2", tmp_path / "papers.json")]))
