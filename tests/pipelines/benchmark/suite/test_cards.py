import json
from pathlib import Path

import pytest

from forensic.errors import RecipeError
from forensic.files import read_json, write_json
from pipelines.benchmark.suite.cards import write_card
from pipelines.benchmark.suite.plan import CardTable, Plan, Report, Row
from tests.support.reports import example_report

TITLE = "Sketch to photo, rank 1. AR, test: {probes} probes in a gallery of {gallery}; people new"
PLAN = Plan(
    data={"ar": "cufs/ar/test"},
    report={"made": Report(command="benchmark pairs --photos {ar}/photos --out {out}")},
)


def _table(kind: str, title: str = TITLE, keep: tuple[str, ...] = ()) -> CardTable:
    rows = (Row(label="AR, test", file="made/report.json"),)
    return CardTable(kind=kind, rows=rows, title=title, keep=keep)


def _write(folder: Path, table: CardTable) -> bool:
    place = folder.joinpath
    return write_card("csi-line", [table], plan=PLAN, reports=place, folder=folder)


def test_a_measured_table_takes_the_place_of_its_former_version(tmp_path: Path) -> None:
    write_json(tmp_path / "made" / "report.json", example_report().model_dump(mode="json"))
    results = tmp_path / "csi-line.results.json"
    former = TITLE.format(probes="1,043", gallery="43")
    rest = {"Training": {"Seed": "0"}, former: {"none": "old", "By": "hand"}, "Limits": {"a": "b"}}
    results.write_text(json.dumps(rest))
    assert _write(tmp_path, _table("ways", keep=("By",)))
    new = read_json(results)
    assert list(new) == ["Training", TITLE.format(probes="40", gallery="60"), "Limits"]
    rows = list(new.values())[1]
    assert rows["Command"] == "forensic benchmark pairs --photos AR/photos --out OUT"
    assert rows["none"].startswith("25.0 % (10 of 40")
    assert rows["By"] == "hand"
    card = (tmp_path / "csi-line.md").read_text()
    assert "40 probes in a gallery of 60" in card
    assert not _write(tmp_path, _table("ways", keep=("By",)))


def test_a_new_table_comes_last_and_holds_every_embedder(tmp_path: Path) -> None:
    write_json(tmp_path / "made" / "report.json", example_report().model_dump(mode="json"))
    assert _write(tmp_path, _table("embedders"))
    (rows,) = read_json(tmp_path / "csi-line.results.json").values()
    assert rows["AR, test"].startswith("25.0 % (10 of 40, 95 % interval 12.7–41.2 %)")


def test_faces_stand_beside_the_papers(tmp_path: Path) -> None:
    figure = {"mean": 17.9, "standard_error": 0.06, "n_values": 43, "n_clusters": 43}
    figures = dict.fromkeys(("psnr", "ssim", "r"), figure)
    write_json(tmp_path / "made" / "report.json", {"generator": "csi-line", "figures": figures})
    _write(tmp_path, _table("faces", title="Drawn"))
    rows = read_json(tmp_path / "csi-line.results.json")["Drawn"]
    assert rows["PSNR (dB)"] == "17.9000 ± 0.0600 (n = 43 faces of 43 people)"
    assert rows["Paper (6 showcase sketches)"] == "13.8687 / 0.5684 / 0.7667"


def test_an_unknown_kind_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="pictures"):
        _write(tmp_path, _table("pictures"))
    assert list(tmp_path.iterdir()) == []
