import numpy as np
import pytest

from forensic.embedders.embedder import unit_rows
from forensic.errors import RangeError, WeightsError
from forensic.identification.fusion import (
    check_parts,
    combine_sketches,
    contributions,
    fuse_vectors,
)
from forensic.weights.fusions import Fusion, FusionPart

WEIGHTS = {"none": 2.0, "adapter": 6.0}


def rows(n: int, seed: int) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, 8)))


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


def test_parts_with_other_weights_are_refused() -> None:
    fusion = Fusion("fake", "f" * 64, (FusionPart("adapter", 6.0, {"adapter": "a" * 64}),), 0.0, {})
    check_parts(fusion, {"adapter": {"adapter": "a" * 64}})
    with pytest.raises(WeightsError, match="other weights of adapter"):
        check_parts(fusion, {"adapter": {"adapter": "b" * 64}})
