"""Fused queries rank as the sums of similarities that they stand for."""

import numpy as np
import pytest

from forensic.cases import searches
from forensic.errors import RangeError, UnknownNameError
from forensic.jobs.fusion import FUSIONS, fuse
from forensic.weights.fusions import BEST
from tests.support.galleries import unit_rows

GALLERY = unit_rows("random", 200, 16, seed=1)
INPUTS = unit_rows("random", 3, 16, seed=2)


def spread_of_inputs():
    return (INPUTS @ GALLERY.T).std(axis=1)


def unused():
    raise AssertionError("the gallery was scanned for nothing")


def test_the_mean_ranks_by_mean_similarity() -> None:
    query, weights = fuse(INPUTS, "mean", spread=unused)
    assert weights.tolist() == pytest.approx([1 / 3] * 3)
    assert np.linalg.norm(query) == pytest.approx(1)
    mean = (INPUTS.astype(np.float64) @ GALLERY.T).mean(axis=0)
    assert np.argsort(-(query @ GALLERY.T)[0]).tolist() == np.argsort(-mean).tolist()


def test_the_z_mean_ranks_by_mean_z_score() -> None:
    query, _ = fuse(INPUTS, "z-mean", spread=spread_of_inputs)
    similarity = INPUTS.astype(np.float64) @ GALLERY.T
    z = (similarity - similarity.mean(axis=1, keepdims=True)) / similarity.std(
        axis=1, keepdims=True
    )
    assert np.argsort(-(query @ GALLERY.T)[0]).tolist() == np.argsort(-z.mean(axis=0)).tolist()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_one_input_is_its_own_query(fusion: str) -> None:
    query, weights = fuse(INPUTS[:1], fusion, spread=unused)
    np.testing.assert_allclose(query, INPUTS[:1], atol=1e-6)
    assert weights.tolist() == [1.0]


def test_a_gallery_without_spread_weighs_all_alike() -> None:
    _, weights = fuse(INPUTS, "z-mean", spread=lambda: np.zeros(3))
    assert weights.tolist() == pytest.approx([1 / 3] * 3)


def test_what_cancels_out_or_is_unknown_is_refused() -> None:
    opposite = np.concatenate([INPUTS[:1], -INPUTS[:1]])
    with pytest.raises(RangeError):
        fuse(opposite, "mean", spread=unused)
    with pytest.raises(UnknownNameError, match="fusion"):
        fuse(INPUTS, "best-of-all", spread=unused)


def test_every_fusion_is_put_into_words() -> None:
    assert set(searches.FUSIONS) == {BEST, *FUSIONS}
