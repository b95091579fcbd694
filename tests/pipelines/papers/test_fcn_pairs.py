import pytest
import torch

from forensic.stats.binomial import clopper_pearson
from pipelines.papers.fcn_pairs import training_pairs
from pipelines.papers.tables import Materials, Row
from tests.support.cufs import write_cufs
from tests.support.generators import write_copying_fcn


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    place = tmp_path_factory.mktemp("fig4")
    for name in ("n2-s0-with", "n2-s0-without", "n2-s1-with", "n2-s1-without", "n3-s0-with"):
        write_copying_fcn(place / f"fcn-fig4-{name}.safetensors")
    write_copying_fcn(place / "fcn-fig4-n4-s0-with.safetensors")
    write_copying_fcn(place / "fcn-fig4-n4-s0-without.safetensors", size="small")
    materials = Materials([place], {"cuhk": write_cufs(place / "cuhk")}, torch.device("cpu"))
    return {row.name: row for row in training_pairs(materials).rows}


def test_seeds_with_and_without_are_paired(rows: dict[str, Row]) -> None:
    row = rows["2 pairs"]
    assert row.n == 6
    assert row.ours["p"].value == 1
    assert row.ours["with"].value == row.ours["without"].value
    assert row.ours["with"].value == pytest.approx(2 / 3)
    assert row.ours["with"].ci95 == clopper_pearson(2, 3)  # two seeds do not make six people
    assert "fcn-sr, seeds [0, 1]" in row.split


def test_what_cannot_be_compared_says_why(rows: dict[str, Row]) -> None:
    assert "both with and without" in rows["3 pairs"].missing
    assert "several sizes" in rows["4 pairs"].missing


def test_printed_figures_stand_even_without_training(rows: dict[str, Row]) -> None:
    assert rows["27 pairs"].paper == {"with": 1.0}
    assert rows["27 pairs"].missing
