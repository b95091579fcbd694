import numpy as np

from forensic.embedders.embedder import unit_rows
from pipelines.benchmark.ablation import ablation_table, fused_ways
from pipelines.benchmark.embedding import Embedded


def embedded(seed: int, missing: int) -> Embedded:
    rows = unit_rows(np.random.default_rng(seed).normal(size=(5, 8)))
    enrolled = np.arange(5) != missing
    return Embedded((rows * enrolled[:, None]).astype(np.float32), enrolled)


def test_the_others_keep_their_weights_where_one_part_is_left_out() -> None:
    sketches = {name: embedded(seed, 3) for seed, name in enumerate(("adapter", "line", "none"))}
    ways = fused_ways(sketches, {"adapter": 3.0, "line": 1.0})
    assert list(ways) == [
        "best", "without adapter", "without line", "adapter alone", "line alone", "none alone"
    ]  # fmt: skip
    summed = 3 * sketches["adapter"].vectors[0] + sketches["line"].vectors[0]
    np.testing.assert_allclose(ways["best"].vectors[0], summed / np.linalg.norm(summed), atol=1e-6)
    np.testing.assert_allclose(ways["without adapter"].vectors, sketches["line"].vectors, atol=1e-6)
    assert not ways["best"].vectors[3].any()


def test_every_way_is_tested_against_the_whole() -> None:
    found = np.ones(20, dtype=bool)
    fewer = found.copy()
    fewer[:6] = False
    table = ablation_table({"best": found, "without a": fewer, "a alone": found})
    assert table["best"].startswith("100.0 % (20 of 20")
    assert "only best 6, only this 0" in table["without a"]
    assert "p 0.031, after Holm 0.062" in table["without a"]
    assert "p 1" in table["a alone"]
