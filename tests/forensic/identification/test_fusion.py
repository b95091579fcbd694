import json
from pathlib import Path

import numpy as np
import pytest

from forensic.embedders.embedder import unit_rows
from forensic.errors import MissingWeights, RangeError, WeightsError
from forensic.identification.fusion import (
    Fusion,
    FusionPart,
    combine_sketches,
    contributions,
    find_fusion,
    fuse_vectors,
    rank_parts,
)
from tests.support.fakes import FakeEmbedder

WEIGHTS = {"none": 2.0, "adapter": 6.0}


def rows(n: int, seed: int) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, 8)))


def a_fusion(sha256: str = FakeEmbedder.weights_sha256) -> Fusion:
    parts = (FusionPart("adapter", 6.0, {"adapter": "a" * 64}), FusionPart("none", 2.0, {}))
    return Fusion("fake", sha256, parts, -1.5, {"probes": 60})


def test_one_vector_ranks_as_the_weighted_sum_of_scores() -> None:
    parts = {"none": rows(3, 1), "adapter": rows(3, 2)}
    gallery = rows(50, 3)
    summed = sum(WEIGHTS[name] * part @ gallery.T for name, part in parts.items())
    fused = fuse_vectors(parts, WEIGHTS) @ gallery.T
    np.testing.assert_array_equal(fused.argsort(axis=1), summed.argsort(axis=1))


def test_contributions_add_up_to_the_score() -> None:
    parts = {"none": rows(1, 1), "adapter": rows(1, 2)}
    candidates = rows(4, 3)
    told = contributions(parts, WEIGHTS, candidates)
    length = np.linalg.norm(2.0 * parts["none"] + 6.0 * parts["adapter"])
    fused = fuse_vectors(parts, WEIGHTS) @ candidates.T
    np.testing.assert_allclose([sum(t.values()) for t in told], length * fused[0], rtol=1e-5)


def test_sketches_of_one_person_count_the_same() -> None:
    sketches = rows(3, 1)
    combined = combine_sketches(sketches)
    assert combined.shape == (1, 8)
    np.testing.assert_allclose(combined, combine_sketches(sketches[::-1]), atol=1e-6)
    np.testing.assert_allclose(combine_sketches(sketches[:1]), sketches[:1], atol=1e-6)
    with pytest.raises(RangeError):
        combine_sketches(sketches[:0])


def test_a_fusion_is_found_by_its_embedder(tmp_path: Path) -> None:
    a_fusion("0" * 64).write(tmp_path / "best-other.json")
    with pytest.raises(MissingWeights, match="forensic benchmark fusion"):
        find_fusion(FakeEmbedder(), folder=tmp_path)
    a_fusion().write(tmp_path / "best-own.json")
    assert find_fusion(FakeEmbedder(), folder=tmp_path) == a_fusion()


@pytest.mark.parametrize("change", [{"parts": []}, {"intercept": None, "strange": 1}])
def test_damaged_files_are_refused(tmp_path: Path, change: dict) -> None:
    path = tmp_path / "best.json"
    a_fusion().write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(WeightsError, match=r"best\.json"):
        Fusion.read(path)


def test_a_negative_weight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    a_fusion().write(path)
    path.write_text(path.read_text().replace("2.0", "-2.0"))
    with pytest.raises(WeightsError, match="negative"):
        Fusion.read(path)


def test_parts_without_weight_are_left_out() -> None:
    parts = rank_parts({"none": 1.0, "csi-line": 0.0, "adapter": 3.0}, {"none": {}, "adapter": {}})
    assert [part.method for part in parts] == ["adapter", "none"]
