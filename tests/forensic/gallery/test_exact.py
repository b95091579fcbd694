"""Exact search gives what looking at every row gives, whatever the gallery."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from forensic.gallery import scan
from forensic.gallery.codes import Codes
from forensic.gallery.exact import ExactSearch
from forensic.gallery.flat import FlatSearch
from forensic.gallery.listers import FaissLister, TorchLister
from tests.support.galleries import KINDS, oracle, unit_rows

CPU = torch.device("cpu")


def flat(vectors, tie_order, lister):
    otherwise = ExactSearch(vectors, tie_order)
    return FlatSearch(vectors, tie_order, lister=lister, otherwise=otherwise)


def coded(vectors, tie_order, *, shard_rows=100):
    codes = Codes.encode(vectors, shard_rows=shard_rows)
    return ExactSearch(vectors, tie_order, codes=codes, coded_from_rows=1)


def assert_as_oracle(engine, queries, vectors, tie_order, k, allowed=None):
    rows, found = engine.search(queries, k, allowed=allowed)
    for q, query in enumerate(queries):
        expected, similarity = oracle(query, vectors, tie_order, k, allowed)
        assert rows[q].tolist() == expected
        np.testing.assert_array_equal(found[q], similarity)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    rows=st.integers(1, 400),
    dimension=st.sampled_from([1, 2, 7, 16, 33, 128]),
    n_probes=st.sampled_from([1, 3, 4, 9]),
    k=st.sampled_from([1, 2, 5, 30, 500]),
    share=st.sampled_from([None, 0.0, 0.02, 0.5, 0.97]),
    shard_rows=st.sampled_from([16, 100, 1000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_engine_agrees_with_the_oracle(
    kind, rows, dimension, n_probes, k, share, shard_rows, seed
):
    vectors = unit_rows(kind, rows, dimension, seed)
    generator = np.random.default_rng(seed)
    near = vectors[generator.integers(0, rows, n_probes)]
    queries = np.where(
        generator.random((n_probes, 1)) < 0.5, near, unit_rows(kind, n_probes, dimension, seed + 1)
    )
    tie_order = generator.permutation(rows)
    allowed = None if share is None else generator.random(rows) < share
    for engine in (
        coded(vectors, tie_order, shard_rows=shard_rows),
        ExactSearch(vectors, tie_order),
        flat(vectors, tie_order, FaissLister.on_cpu(vectors)),
        flat(vectors, tie_order, TorchLister(vectors, [CPU])),
    ):
        assert_as_oracle(engine, queries, vectors, tie_order, k, allowed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_probes", [1, 5])
def test_the_first_pass_over_several_shards_misses_nothing(kind, n_probes, monkeypatch):
    monkeypatch.setattr(scan, "_BLOCK_ROWS", 128)
    vectors, queries = unit_rows(kind, 3000, 24, 5), unit_rows(kind, n_probes, 24, 6)
    tie_order = np.random.default_rng(0).permutation(3000)
    engine = coded(vectors, tie_order, shard_rows=500)
    for k in (1, 10, 100):
        assert_as_oracle(engine, queries, vectors, tie_order, k)
        assert_as_oracle(engine, queries, vectors, tie_order, k, tie_order % 7 > 2)


def test_batches_of_any_size_give_the_same_rows():
    vectors = unit_rows("clustered", 2000, 16, 1)
    engine, queries = coded(vectors, np.arange(2000)), unit_rows("clustered", 150, 16, 2)
    together = engine.search(queries, 20)
    for q in (0, 77, 149):
        alone = engine.search(queries[q : q + 1], 20)
        np.testing.assert_array_equal(together[0][q], alone[0][0])
        np.testing.assert_array_equal(together[1][q], alone[1][0])


def test_most_rows_are_spared_a_comparison_in_full(monkeypatch):
    """The bound is not only true but of use: a random gallery keeps few rows."""
    compared = []
    vectors, queries = unit_rows("random", 20000, 128, 1), unit_rows("random", 5, 128, 2)
    engine = ExactSearch(vectors, np.arange(20000))
    original = scan.FirstPass.scan_together

    def counting(self, floors):
        floors, lists = original(self, floors)
        compared.extend(len(rows) for rows in lists)
        return floors, lists

    monkeypatch.setattr(scan.FirstPass, "scan_together", counting)
    engine.search(queries, 10)
    assert len(compared) == 5
    assert max(compared) < 200


def test_long_lists_and_no_allowed_row():
    vectors = unit_rows("random", 9000, 8, 3)
    engine = coded(vectors, np.arange(9000), shard_rows=4096)
    assert_as_oracle(engine, vectors[:1], vectors, np.arange(9000), 2048)
    rows, found = engine.search(vectors[:3], 5, allowed=np.zeros(9000, dtype=bool))
    assert rows.shape == found.shape == (3, 0)


@pytest.mark.parametrize("n_probes", [1, 5])
def test_rows_that_rounding_spoils_are_found_all_the_same(n_probes):
    vectors = unit_rows("random", 4096, 256, 1)
    vectors[[7, 4000]] = np.eye(256, dtype=np.float32)[:2]
    queries = np.eye(256, dtype=np.float32)[:n_probes]
    engine, order = coded(vectors, np.arange(4096), shard_rows=1024), np.arange(4096)
    for k in (1, 3):
        assert_as_oracle(engine, queries, vectors, order, k)
        assert_as_oracle(engine, queries, vectors, order, k, order != 7)
