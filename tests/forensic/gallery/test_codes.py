"""The rounded rows keep to the bounds that exact search relies on."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
import torch

from forensic.gallery import products
from forensic.gallery.codes import Codes
from tests.support.galleries import KINDS, unit_rows


def levels_of(codes):
    parts = [codes.bytes_of(shard) for shard in range(len(codes.shards))]
    return np.concatenate(parts).astype(np.int64) - 128


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimension", [3, 64, 512])
def test_no_similarity_is_farther_from_its_approximation_than_the_bound(kind, dimension):
    vectors, queries = unit_rows(kind, 3000, dimension, 1), unit_rows(kind, 20, dimension, 2)
    queries[:10] = vectors[:10]
    codes = Codes.encode(vectors, shard_rows=1000)
    probes = codes.round_probes(queries)
    approximate = (levels_of(codes) @ probes.levels.astype(np.int64).T) * probes.units
    exact = vectors.astype(np.float64) @ queries.astype(np.float64).T
    regular = np.setdiff1d(np.arange(3000), codes.irregular)
    assert (np.abs(approximate - exact)[regular] <= probes.errors).all()
    assert len(codes.irregular) <= 3


def test_a_few_rows_that_do_not_fit_the_scale_are_listed():
    vectors = unit_rows("random", 4096, 256, 1)
    vectors[[7, 4000]] = np.eye(256, dtype=np.float32)[:2]
    codes = Codes.encode(vectors)
    assert {7, 4000} <= set(codes.irregular)
    assert codes.residual < 0.05


def test_saved_shards_are_read_as_they_were(tmp_path):
    codes = Codes.encode(unit_rows("random", 250, 16, 1), shard_rows=100)
    files = []
    for name, content in codes.blobs():
        files.append(tmp_path / name)
        content.tofile(files[-1])
    loaded = Codes.load(
        files, scale=codes.scale, residual=codes.residual, irregular=codes.irregular
    )
    assert loaded.starts == [0, 100, 200]
    assert loaded.n_bytes == 250 * 16
    np.testing.assert_array_equal(levels_of(loaded), levels_of(codes))


@pytest.mark.parametrize("dimension", [1, 5, 512, 1024])
@pytest.mark.parametrize("exact_bytes", [True, False])
def test_products_are_the_whole_numbers_that_they_should_be(dimension, exact_bytes, monkeypatch):
    if exact_bytes and not products._bytes_multiply_exactly(dimension):
        pytest.skip("this processor multiplies bytes of so many dimensions only inexactly")
    monkeypatch.setattr(products, "_bytes_multiply_exactly", lambda _: exact_bytes)
    generator = np.random.default_rng(0)
    rows = generator.integers(1, 256, (100, dimension), dtype=np.uint8)
    levels = generator.integers(-127, 128, (6, dimension)).astype(np.int8)
    rows[0], levels[0] = 255, 127
    found = products.product_with(levels)(torch.from_numpy(rows)).numpy()
    np.testing.assert_array_equal(found, (rows.astype(np.int64) - 128) @ levels.T.astype(np.int64))


def _rounding_product(levels):
    """Multiply as processors do that round the sum before they take off the zero point."""

    def product(rows):
        sums = (rows.long() @ levels.long().T).float()
        return (sums.double() - 128 * levels.long().sum(1)).float()

    return product


@pytest.mark.parametrize(
    ("dimension", "exact"), [(64, True), (518, True), (519, False), (520, False), (1024, False)]
)
def test_a_processor_that_rounds_sums_is_told_from_one_that_is_exact(dimension, exact, monkeypatch):
    monkeypatch.setattr(products, "_byte_product", _rounding_product)
    assert products._bytes_multiply_exactly.__wrapped__(dimension) is exact


def test_faiss_scans_the_same_whole_numbers():
    codes = Codes.encode(unit_rows("random", 300, 64, 1))
    probes = codes.round_probes(unit_rows("random", 2, 64, 2))
    found, rows = codes.shards[0].search(probes.levels.astype(np.float32), 300)
    wanted = levels_of(codes) @ probes.levels.astype(np.int64).T
    for q in range(2):
        np.testing.assert_array_equal(found[q], wanted[rows[q], q])


def test_worker_threads_leave_the_thread_counts_of_others_alone():
    threads, scans = torch.get_num_threads(), faiss.omp_get_max_threads()
    with products.worker_threads(2) as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), range(2))) == [1, 1]
    assert (torch.get_num_threads(), faiss.omp_get_max_threads()) == (threads, scans)
