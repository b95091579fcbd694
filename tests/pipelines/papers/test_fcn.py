from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.errors import InputError
from pipelines.papers.fcn import (
    Drawings,
    draw_test,
    match_scores,
    reconstruction,
    run_times,
    squared_error_ranks,
    training_pairs,
)
from pipelines.papers.tables import Materials
from tests.support.cufs import write_cufs
from tests.support.generators import small_generator, write_copying_fcn

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Materials:
    place = tmp_path_factory.mktemp("papers")
    names = ["fcn-medium", *(f"fcn-fig4-n2-s{s}-{w}" for s in (0, 1) for w in ("with", "without"))]
    for name in [*names, "fcn-fig4-n3-s0-with"]:
        write_copying_fcn(place / f"{name}.safetensors")
    return Materials([place], {"cuhk": write_cufs(place / "cuhk")}, CPU)


def test_ranks_are_those_of_the_squared_error() -> None:
    drawn = torch.zeros(3, 1, 188, 143)
    made = torch.stack([torch.full((1, 188, 143), level / 255) for level in (3.0, 1.0, 1.0)])
    ranks = squared_error_ranks(Drawings(drawn, made, ["a", "b", "c"]))
    assert ranks.tolist() == [3, 2, 2]  # a tie counts against the system


def test_drawings_are_centred_on_the_same_pixels(materials: Materials) -> None:
    gray = draw_test(materials, None)
    assert gray.made.shape == gray.drawn.shape == (3, 1, 188, 143)
    copied = draw_test(materials, materials.generator("fcn-medium"))
    assert copied.people == ["toy/2", "toy/3", "toy/4"]
    values = [d.made.flatten(1).numpy() for d in (gray, copied)]
    assert all(np.corrcoef(a, b)[0, 1] > 0.95 for a, b in zip(*values, strict=True))


def test_table_1_has_baseline_and_ours_measured_and_the_rest_quoted(materials: Materials) -> None:
    table = match_scores(materials)
    rows = {row.name: row for row in table.rows}
    assert rows["Ours"].paper["1"] == 1.0
    assert rows["Ours"].n == rows["Baseline"].n == 3
    assert rows["Ours"].ours["10"].value == 1
    assert rows["Ours"].ours["1"].ci95 is not None
    assert "quoted" in rows["MRF+"].missing
    assert len(rows["Ours"].weights_sha256) == 64


def test_figure_4_pairs_seeds_and_leaves_out_half_trained_ones(materials: Materials) -> None:
    rows = {row.name: row for row in training_pairs(materials).rows}
    assert rows["2"].n == 6
    assert rows["2"].ours["p"].value == 1
    assert rows["2"].ours["with"].value == rows["2"].ours["without"].value
    assert "both with and without" in rows["3"].missing
    assert rows["27"].paper == {"with": 1.0}
    assert rows["27"].missing


def test_reconstruction_and_run_times(materials: Materials, tmp_path: Path) -> None:
    shown = Materials(materials.weights, materials.data, CPU, sheets=tmp_path)
    rows = {row.name: row for row in reconstruction(shown).rows}
    assert [path.name for path in tmp_path.glob("*.png")] == ["fcn-medium.png"]
    assert set(rows["fcn-medium"].ours) == {"0.5", "1", "2"}
    assert rows["fcn-medium"].paper["1"] == 34.6
    assert "forensic train fcn-large" in rows["fcn-large"].missing
    assert "--speed" in run_times(materials).rows[0].missing
    fast = Materials(materials.weights, materials.data, CPU, speed=True)
    timed = {row.name: row for row in run_times(fast).rows}["fcn-medium"]
    assert timed.ours["ms"].value > 0
    assert "threads" in timed.split


def test_generator_that_does_not_draw_is_refused(materials: Materials) -> None:
    with pytest.raises(InputError, match="does not draw"):
        draw_test(materials, small_generator())
