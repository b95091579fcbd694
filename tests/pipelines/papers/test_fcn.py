from pathlib import Path

import pytest
import torch

from pipelines.papers.fcn import match_scores, reconstruction, run_times
from pipelines.papers.tables import Materials
from tests.support.cufs import write_cufs
from tests.support.generators import write_copying_fcn

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Materials:
    place = tmp_path_factory.mktemp("papers")
    for name in ("fcn-medium", "fcn-sr"):
        write_copying_fcn(place / f"{name}.safetensors")
    write_copying_fcn(place / "fcn-sr-rgb.safetensors", coordinates=False)
    return Materials([place], {"cuhk": write_cufs(place / "cuhk")}, CPU)


def test_table_1_has_baseline_and_ours_measured_and_the_rest_quoted(materials: Materials) -> None:
    table = match_scores(materials)
    rows = {row.name: row for row in table.rows}
    assert rows["Ours"].paper["1"] == 1.0
    assert rows["Ours"].n == rows["Baseline"].n == 3
    assert rows["Ours"].ours["10"].value == 1
    assert rows["Ours"].ours["1"].ci95 is not None
    assert 0 <= rows["Ours"].ours["p"].value <= 1
    assert "quoted" in rows["MRF+"].missing
    assert len(rows["Ours"].weights_sha256) == 64
    assert [name for name in rows if name.startswith("fcn-")] == ["fcn-sr", "fcn-sr-rgb"]
    assert rows["fcn-sr"].paper == {}


def test_reconstruction_at_three_scales(materials: Materials, tmp_path: Path) -> None:
    shown = Materials(materials.weights, materials.data, CPU, sheets=tmp_path)
    rows = {row.name: row for row in reconstruction(shown).rows}
    assert len(list(tmp_path.glob("*.png"))) == 3
    assert set(rows["fcn-medium"].ours) == {"0.5", "1", "2"}
    assert rows["fcn-medium"].paper["1"] == 34.6
    assert "forensic train fcn-large" in rows["fcn-large"].missing
    assert "forensic train fcn-medium-rgb" in rows["fcn-medium-rgb"].missing


def test_networks_without_coordinates_are_set_against_those_with(materials: Materials) -> None:
    rows = {row.name: row for row in reconstruction(materials).rows}
    lost = rows["fcn-sr-rgb"].ours["xy"]
    assert lost.value == pytest.approx(0, abs=1e-4)  # neither copy looks at them
    assert lost.ci95 is not None
    assert "xy" not in rows["fcn-sr"].ours


def test_run_times_need_no_weights(materials: Materials) -> None:
    assert "--speed" in run_times(materials).rows[0].missing
    rows = {row.name: row for row in run_times(Materials([], {}, CPU, speed=True)).rows}
    assert set(rows["fcn-sr"].ours) == {"fp32", "bf16"}
    assert all(row.ours["fp32"].value > 0 for row in rows.values())
    assert rows["fcn-medium"].paper == {"fp32": 17.1}
    assert "threads" in rows["fcn-medium"].split
