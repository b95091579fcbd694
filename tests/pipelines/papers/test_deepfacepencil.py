"""The tables of DeepFacePencil, from tiny networks of random numbers on strokes of our making."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.backbones.inception import InceptionFeatures
from forensic.generators.deepfacepencil.generators import DeepFacePencil, GlobalGenerator
from forensic.generators.registry import LoadedGenerator
from forensic.images.frame import Frame
from forensic.images.io import load_image
from forensic.weights.bundle import save_bundle
from pipelines.papers import sets
from pipelines.papers.deepfacepencil import TABLES, deformed_sketches, edge_sketches, load_faces
from pipelines.papers.sheets import BAND_PX
from pipelines.papers.tables import Materials, PaperTable, Row, as_json
from pipelines.recipe import find_recipe, load_recipe
from tests.support.deformed import write_triplets
from tests.support.vgg import write_vgg19

CPU = torch.device("cpu")
SIZE = {"width": 4, "n_down": 2, "n_blocks": 4}


def write_weights(path: Path, network: DeepFacePencil | GlobalGenerator, kind: str) -> None:
    facts = {"network": kind, "style": "boundary", "frame": Frame(None, (16, 16)).to_json()}
    save_bundle(path, network.state_dict(), network.config, facts)


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Materials:
    place = tmp_path_factory.mktemp("dfp")
    torch.manual_seed(0)
    ours, baseline = DeepFacePencil(**SIZE), GlobalGenerator(**SIZE)
    write_weights(place / "deepfacepencil-128-narrow.safetensors", ours, "deepfacepencil")
    write_weights(place / "deepfacepencil-baseline.safetensors", baseline, "pix2pixhd-global")
    write_vgg19(place / "vgg.safetensors")
    return Materials(
        [place],
        {
            "dfp": write_triplets(place / "11", n_test=3),
            "dfp-30": write_triplets(place / "30", n_test=2, max_offset_px=30.0),
        },
        CPU,
        features=place / "vgg.safetensors",
        sheets=place / "sheets",
    )


@pytest.fixture(scope="module")
def found(materials: Materials) -> list[PaperTable]:
    return [compute(materials) for compute in TABLES.values()]


def rows(table: PaperTable) -> dict[str, Row]:
    return {row.name: row for row in table.rows}


def test_table_1_is_measured_on_the_edges_beside_the_printed_figures(
    found: list[PaperTable], materials: Materials
) -> None:
    table = rows(found[0])
    baseline = table["deepfacepencil-baseline, d = 0"]
    assert (baseline.missing, baseline.n) == ("", 3)
    assert baseline.paper == {"inception_score": 2.298, "fid": 259.1}
    # the stand-in's distance is no FID, and it has no classes
    assert baseline.ours.keys() == {"psnr", "ssim", "frechet", "kernel"}
    assert "no FID" in found[0].note
    assert baseline.split == "dfp, test part, 16×16, d = 0"
    sheet = load_image(Path(materials.sheets or "") / "deepfacepencil-baseline-d0.png")
    assert sheet.shape == (3 * (16 + BAND_PX), 3 * 16, 3)
    assert json.loads(json.dumps(as_json(found[0])))["name"] == "deepfacepencil-table-1"


def test_rows_without_weights_say_what_trains_them(found: list[PaperTable]) -> None:
    table = rows(found[0])
    missing = {name: row.missing for name, row in table.items() if row.missing}
    assert missing.keys() == {
        "deepfacepencil-pix2pix, d = 0",
        "deepfacepencil-baseline-deformed, d = 0",
        "deepfacepencil, d = 0",
    }
    for text in missing.values():
        recipe, *changes = text.split("`forensic train ")[1].split(" --out")[0].split(" --set ")
        settled = tuple(change.strip("'") for change in changes)
        loaded = load_recipe(find_recipe(Path(recipe.strip())), settled)
        assert f"no {loaded.name}.safetensors" in text
    assert "options.system=baseline-deformed" in missing["deepfacepencil-baseline-deformed, d = 0"]


def test_study_goes_through_every_offset(found: list[PaperTable]) -> None:
    study = rows(found[1])
    counts = {name.partition(", ")[2]: row.n for name, row in study.items() if "narrow, " in name}
    assert counts == {"d = 0": 3, "d = 11": 3, "d = 30": 2}
    psnr = [
        row.ours["psnr"].value for name, row in study.items() if name.startswith("deepfacepencil-1")
    ]
    assert psnr[0] != psnr[1]
    assert not any("pix2pix" in name for name in study)  # the paper leaves it out here


def test_faces_are_drawn_as_the_row_says(materials: Materials) -> None:
    generator = LoadedGenerator("toy", torch.nn.Identity(), "boundary", "0" * 64)
    aligned, deformed = (load_faces(materials, generator, offset=d) for d in (0, 11))
    assert aligned.sketches.shape == (3, 32, 32, 3)
    moved = np.roll(aligned.sketches, 1, axis=2)  # how far the toys' strokes are off
    np.testing.assert_array_equal(deformed.sketches, moved)
    np.testing.assert_array_equal(aligned.photos, deformed.photos)


def test_strokes_of_another_offset_are_refused(materials: Materials) -> None:
    swapped = Materials(materials.weights, {"dfp-30": materials.data["dfp"]}, CPU)
    study = rows(deformed_sketches(swapped))
    assert (
        "--max-offset 11.0; this row wants 30" in study["deepfacepencil-baseline, d = 30"].missing
    )
    assert "--data dfp=FOLDER" in study["deepfacepencil-baseline, d = 11"].missing


def test_inception_brings_both_printed_figures(
    materials: Materials, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tiny(InceptionFeatures):
        """Colours for features and three of them for classes; the real one is 90 MB."""

        def __init__(self) -> None:
            torch.nn.Module.__init__(self)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean(dim=(2, 3))

        def probabilities(self, features: torch.Tensor) -> torch.Tensor:
            return (100 * features).softmax(1)

    monkeypatch.setattr(sets, "load_set_features", lambda path: Tiny())
    table = rows(edge_sketches(materials))
    ours = table["deepfacepencil-baseline, d = 0"].ours
    assert ours.keys() == {"psnr", "ssim", "fid", "kernel", "inception_score"}
    assert 1 <= ours["inception_score"].value <= 3


def test_tables_without_anything() -> None:
    found = [compute(Materials([], {}, CPU)) for compute in TABLES.values()]
    assert [table.name for table in found] == list(TABLES)
    assert all(row.missing for table in found for row in table.rows)
    assert "No --features" in found[0].note
