"""The figures of Cali-Sketch's tables, from a generator of random numbers on tiny faces."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.backbones.inception import load_set_features
from forensic.datasets.calibration import CalibrationFaces
from forensic.errors import DataFolderError, WeightsError
from forensic.generators.cali_sketch import CaliSketch
from forensic.generators.csi import CSI
from forensic.generators.registry import LoadedGenerator
from forensic.images.frame import Frame
from forensic.images.io import load_image
from forensic.weights.bundle import save_bundle
from pipelines.papers.cali_sketch import TABLES, generate, measure
from pipelines.papers.sheets import BAND_PX
from pipelines.papers.tables import Materials
from tests.support.calibration import write_calibration
from tests.support.vgg import write_vgg19

CPU = torch.device("cpu")


def loaded(network: torch.nn.Module, frame: Frame | None = None) -> LoadedGenerator:
    return LoadedGenerator("toy", network.eval(), "xdog", "0" * 64, frame=frame or Frame())


@pytest.fixture(scope="module")
def generator() -> LoadedGenerator:
    torch.manual_seed(0)
    return loaded(CaliSketch(width=4, n_blocks=1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cali")
    write_vgg19(place / "vgg.safetensors")
    return write_calibration(place / "data", n_train=1, n_validation=3, drawing=True).parent


def test_every_figure_with_its_people_and_the_name_of_its_features(
    generator: LoadedGenerator, folder: Path, tmp_path: Path
) -> None:
    figures = measure(
        generator,
        folder / "data",
        kind="photocopy",
        split="validation",
        features=load_set_features(folder / "vgg.safetensors"),
        device=CPU,
        sheet=tmp_path / "sheet.png",
    )
    # 32 pixels are too few for the window of 51
    assert figures.images.keys() == {"psnr", "ssim", "precision", "recall"}
    assert all(f.n_values == f.n_clusters == 3 for f in figures.images.values())
    assert figures.distance is not None
    assert "no FID" in figures.distance.features
    assert figures.distance.n_images == 3
    assert figures.distance.frechet > 0
    assert load_image(tmp_path / "sheet.png").shape == (4 * (32 + BAND_PX), 3 * 32, 3)
    assert json.loads(json.dumps(asdict(figures)))["kind"] == "photocopy"


def test_a_generator_one_level_off_has_the_figures_of_one_level(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = CalibrationFaces(folder / "data", split="validation", styles=["xdog"])
    edges, photos = (
        torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        for images in (faces.edges, np.where(faces.photos < 255, faces.photos + 1, 254))
    )
    network = CaliSketch(width=4, n_blocks=1)
    monkeypatch.setattr(network, "calibrate", lambda sketch: edges)
    monkeypatch.setattr(network, "synthesize", lambda refined: photos)
    figures = measure(loaded(network), folder / "data", kind="xdog", split="validation", device=CPU)
    means = {name: value.mean for name, value in figures.images.items()}
    assert means.pop("psnr") == pytest.approx(20 * np.log10(255), abs=1e-3)
    assert means == pytest.approx({"ssim": 1, "precision": 1, "recall": 1}, abs=0.02)
    assert figures.distance is None


def test_kinds_of_sketch_are_told_apart_and_the_frame_is_kept(folder: Path) -> None:
    torch.manual_seed(0)
    small = loaded(CaliSketch(width=4, n_blocks=1), frame=Frame(size_hw=(16, 16)))
    results = {
        kind: measure(small, folder / "data", kind=kind, split="validation", device=CPU)
        for kind in ("xdog", "drawing")
    }
    assert {r.size_hw for r in results.values()} == {(16, 16)}
    psnr = [r.images["psnr"].mean for r in results.values()]
    assert psnr[0] != psnr[1]


def test_batches_do_not_matter(generator: LoadedGenerator) -> None:
    sketches = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 1), dtype=np.uint8)
    refined, made = generate(generator.network, sketches, device=CPU)  # type: ignore[arg-type]
    again = generate(generator.network, sketches[8:], device=CPU)  # type: ignore[arg-type]
    assert np.abs(made[8:].astype(int) - again[1]).max() <= 1
    assert refined.shape == (9, 16, 16, 1)


def test_refused(generator: LoadedGenerator, folder: Path) -> None:
    with pytest.raises(WeightsError, match="not Cali-Sketch"):
        measure(loaded(CSI(in_channels=1, width=4)), folder / "data", kind="xdog", device=CPU)
    with pytest.raises(DataFolderError, match="test"):
        measure(generator, folder / "data", kind="xdog", device=CPU)


def test_tables_say_what_was_computed_and_what_is_missing(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = CaliSketch(width=4, n_blocks=1)
    facts = {"network": "cali-sketch", "style": "xdog", "contours": "pidinet"}
    save_bundle(
        tmp_path / "cali-sketch-128-narrow.safetensors", network.state_dict(), network.config, facts
    )
    test_part = write_calibration(
        tmp_path / "data", n_train=0, n_validation=0, n_test=2, drawing=True
    )
    materials = Materials(
        weights=[tmp_path],
        data={"cuhk-portrait": test_part},
        device=CPU,
        features=folder / "vgg.safetensors",
        sheets=tmp_path / "sheets",
    )
    first, second, third = (compute(materials) for compute in TABLES.values())
    assert (tmp_path / "sheets" / "cali-sketch-128-narrow-drawing.png").is_file()
    rows = {row.name: row for row in first.rows}
    assert rows["pix2pix"].paper["fid"] == 76.90
    assert "forensic train cali-sketch" in rows["cali-sketch, drawing"].missing
    ours = rows["cali-sketch-128-narrow, drawing"]
    assert (ours.missing, ours.n) == ("", 2)
    assert "contours by pidinet" in ours.split
    assert ours.paper["psnr"] == 20.25
    assert {"psnr", "ssim", "frechet", "kernel"} <= ours.ours.keys()
    assert "fid" not in ours.ours  # the stand-in's distance is no FID
    assert "no FID" in first.note
    assert [row.name for row in second.rows if not row.missing] == ["cali-sketch-128-narrow, xdog"]
    assert (
        """--set 'name=cali-sketch-detail' --set 'options.calibration_only=true' """
        """--set 'options.targets=["detail"]' --out RUN""" in second.rows[0].missing
    )
    assert [row.paper["psnr"] for row in third.rows] == [20.25, 20.25, 20.34, 21.09]


def test_tables_without_anything(tmp_path: Path) -> None:
    found = [compute(Materials(weights=[], data={}, device=CPU)) for compute in TABLES.values()]
    assert [table.name for table in found] == list(TABLES)
    assert all(row.missing for table in found for row in table.rows)
