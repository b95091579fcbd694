from pathlib import Path

import pytest
import torch

from forensic.generators.csi import CSI
from forensic.generators.registry import GENERATORS
from forensic.images.io import load_image
from forensic.weights.bundle import save_bundle
from pipelines.papers.csi import TABLES, faces_of_cufs
from pipelines.papers.sheets import BAND_PX
from pipelines.papers.tables import Materials, PaperTable
from pipelines.published import CSI_BESIDE, CSI_TABLE_2
from tests.support.cufs import write_cufs
from tests.support.packed import write_packed


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PaperTable]:
    place = tmp_path_factory.mktemp("csi")
    torch.manual_seed(0)
    for name in ("csi-line", "csi-line-features"):
        network = CSI(in_channels=1, width=4, n_blocks=1)
        facts = {"network": "csi", "style": "line"}
        save_bundle(place / f"{name}.safetensors", network.state_dict(), network.config, facts)
    data = {"cuhk": write_cufs(place / "cuhk")}
    materials = Materials([place], data, torch.device("cpu"), sheets=place / "sheets")
    assert faces_of_cufs(materials, "cuhk", style="line").photos.shape == (5, 96, 96, 3)
    return {name: compute(materials) for name, compute in TABLES.items()}


def test_drawings_of_what_was_given_are_measured(found: dict[str, PaperTable]) -> None:
    for name in ("csi-table-3", "csi-table-5"):
        rows = {row.name: row for row in found[name].rows}
        assert rows["cuhk"].n == 5
        assert set(rows["cuhk"].ours) == {"psnr", "ssim", "r"}
        assert "--data ar=FOLDER" in rows["ar"].missing
        assert rows["together"].n == 5
        assert rows["together"].paper == rows["cuhk"].paper  # what was not given does not count
        assert "only 5 pairs" in rows["cuhk, any six"].missing


def test_printed_means_of_all_subsets() -> None:
    for name, psnr in (("csi-table-3", 13.4218), ("csi-table-5", 13.5030)):
        table = TABLES[name](Materials([], {}, torch.device("cpu")))
        row = table.rows[-1]
        assert table.name == name
        assert row.paper["psnr"] == pytest.approx(psnr, abs=1e-4)
        assert "--data cuhk=FOLDER" in row.missing


def test_any_six_of_six_are_all_of_them(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = CSI(in_channels=1, width=4, n_blocks=1)
    facts = {"network": "csi", "style": "line"}
    save_bundle(tmp_path / "csi-line.safetensors", network.state_dict(), network.config, facts)
    data = {"cuhk": write_cufs(tmp_path / "cuhk", n_test=4)}
    found = TABLES["csi-table-3"](Materials([tmp_path], data, torch.device("cpu")))
    rows = {row.name: row for row in found.rows}
    six, everyone = rows["cuhk, any six"].ours["psnr"], rows["cuhk"].ours["psnr"]
    assert six.value == pytest.approx(everyone.value)
    assert six.ci95 == pytest.approx((six.value, six.value))
    assert rows["cuhk, any six"].paper == rows["cuhk"].paper


def test_simulated_sketches_need_the_photos(found: dict[str, PaperTable]) -> None:
    for row in found["csi-table-2"].rows:
        assert "--data lfw=FOLDER" in row.missing
    assert found["csi-table-4"].rows[0].paper["psnr"] == 14.8956
    assert "csi-grayscale-features" in found["csi-table-4"].rows[1].missing


def test_simulated_sketches_are_measured_where_photos_are(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = CSI(in_channels=1, width=4, n_blocks=1)
    facts = {"network": "csi", "style": "line"}
    save_bundle(tmp_path / "csi-line.safetensors", network.state_dict(), network.config, facts)
    folder = write_packed(tmp_path / "lfw", n_train=0, n_validation=0, n_test=3)
    sheets = tmp_path / "sheets"
    materials = Materials([tmp_path], {"lfw": folder}, torch.device("cpu"), sheets=sheets)
    row = TABLES["csi-table-2"](materials).rows[0]
    assert (row.name, row.n) == ("csi-line", 3)
    sheet = load_image(sheets / "csi-line-lfw.png")  # sketch, machine-made face, true photo
    assert sheet.shape == (3 * (16 + BAND_PX), 3 * 16, 3)


def test_the_papers_table_holds_the_papers_rows_and_ours_stand_beside_one() -> None:
    assert list(TABLES["csi-table-2"].keywords["printed"]) == [
        "csi-line", "csi-grayscale", "csi-color"
    ]  # fmt: skip
    ours = {name for name in GENERATORS if name.startswith("csi-")}
    assert set(CSI_BESIDE) == ours
    assert CSI_BESIDE["csi-color-identity"] == CSI_TABLE_2["csi-color"]
