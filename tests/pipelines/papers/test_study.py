from pathlib import Path

import pytest
import torch
from torch import nn

from forensic.generators.autoencoders import ConvAutoencoder
from forensic.images.frame import Frame
from forensic.weights.bundle import save_bundle
from pipelines.papers.study import TABLES
from pipelines.papers.tables import Materials, Row
from pipelines.recipe import find_recipe, load_recipe
from tests.support.cufs import write_cufs


def write_autoencoder(path: Path, direction: str) -> None:
    torch.manual_seed(0)
    network = ConvAutoencoder()
    facts = {
        "network": "conv-autoencoder",
        "style": "drawing",
        "direction": direction,
        "geometry": "cufs-250",
        "frame": Frame(None, (32, 32)).to_json(),
    }
    nn.init.zeros_(network.body[-2].weight)  # type: ignore[arg-type]  # makes flat gray pictures
    nn.init.zeros_(network.body[-2].bias)  # type: ignore[arg-type]
    save_bundle(path, network.state_dict(), network.config, facts)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    place = tmp_path_factory.mktemp("study")
    write_autoencoder(place / "study-conv-s2f.safetensors", "sketch-to-photo")
    write_autoencoder(place / "study-conv-s2f-disjoint.safetensors", "sketch-to-photo")
    write_autoencoder(place / "study-conv-s2f-128.safetensors", "sketch-to-photo")
    data = {"cuhk": write_cufs(place / "cuhk", n_train=2, n_test=2)}
    materials = Materials([place], data, torch.device("cpu"), sheets=place / "sheets")
    found = [compute(materials) for compute in TABLES.values()]
    sheets = {path.stem for path in (place / "sheets").glob("*.png")}
    assert {"study-conv-s2f", "study-conv-s2f-disjoint", "study-conv-s2f-128"} <= sheets
    assert [table.name for table in found] == list(TABLES)
    return {row.name: row for table in found for row in table.rows}


def test_leaky_split_stands_beside_the_printed_figures(rows: dict[str, Row]) -> None:
    row = rows["study-conv-s2f"]
    assert row.paper == {"ssim": 0.782, "mse": 0.02}
    assert row.n == round(32 * 300 / 1504)
    assert "leaky" in row.split
    assert "32×32" in row.split
    assert set(row.ours) == {"ssim", "mse", "ssim256", "mse256"}
    assert row.ours["mse"].value > 0.01


def test_disjoint_split_claims_no_printed_figure(rows: dict[str, Row]) -> None:
    row = rows["study-conv-s2f-disjoint"]
    assert row.paper == {}
    assert row.n == 2 * 8
    assert "nobody was trained on" in row.split


def test_small_networks_are_shown_only_where_trained(rows: dict[str, Row]) -> None:
    assert rows["study-conv-s2f-128"].n
    assert "study-vgg-s2f-128" not in rows
    assert "study-vgg-s2f-disjoint" in rows


def test_what_was_not_trained_says_so(rows: dict[str, Row]) -> None:
    assert "no study-sparse-f2s.safetensors" in rows["study-sparse-f2s"].missing
    assert rows["study-sparse-f2s"].paper["ssim"] == 0.699


@pytest.mark.parametrize(
    ("weights", "command"),
    [
        ("study-vgg-s2f", "study-vgg-s2f"),
        (
            "study-conv-f2s-disjoint",
            "study-conv-s2f --set name=study-conv-f2s-disjoint --set data.options.people=disjoint "
            "--set options.direction=photo-to-sketch",
        ),
    ],
)
def test_the_remedy_is_a_recipe_that_makes_these_weights(
    rows: dict[str, Row], weights: str, command: str
) -> None:
    assert f"`forensic train {command} --out RUN`" in rows[weights].missing
    recipe, *changes = command.split(" --set ")
    assert load_recipe(find_recipe(Path(recipe)), tuple(changes)).name == weights
