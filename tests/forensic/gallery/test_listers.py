"""Lists cut in low precision, in parts, or too short still lead to the exact answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest
import torch

from forensic.gallery import listers
from forensic.gallery.engines import create_engine
from forensic.gallery.exact import ExactSearch
from forensic.gallery.flat import FlatSearch
from forensic.gallery.listers import FaissLister, TorchLister, half_error
from forensic.gallery.similarity import rounding_error
from tests.support.galleries import KINDS, oracle, unit_rows

CPU = torch.device("cpu")
ROWS, DIMENSION = 700, 16


def halves(vectors):
    """A stand-in for FAISS on GPUs: float16 storage, no masks, short lists only."""
    stored = [
        faiss.IndexScalarQuantizer(
            DIMENSION, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        for _ in range(2)
    ]
    return FaissLister(
        vectors,
        stored,
        error=rounding_error(DIMENSION) + half_error(DIMENSION),
        max_width=200,
        takes_masks=False,
    )


LISTERS = {
    "faiss": FaissLister.on_cpu,
    "faiss shards": lambda vectors: FaissLister(
        vectors,
        [faiss.IndexFlatIP(DIMENSION) for _ in range(3)],
        error=rounding_error(DIMENSION),
    ),
    "faiss float16": halves,
    "torch": lambda vectors: TorchLister(vectors, [CPU]),
    "torch parts": lambda vectors: TorchLister(vectors, [CPU, CPU, CPU]),
}


def engine_of(vectors, tie_order, lister):
    otherwise = ExactSearch(vectors, tie_order)
    return FlatSearch(vectors, tie_order, lister=lister, otherwise=otherwise)


@pytest.mark.parametrize("name", LISTERS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_lister_leads_to_the_exact_answer(name, kind, monkeypatch):
    monkeypatch.setattr(listers, "_BLOCK_ROWS", 100)
    monkeypatch.setattr(listers, "_BATCH", 3)
    vectors = unit_rows(kind, ROWS, DIMENSION, 1)
    queries = np.concatenate([unit_rows(kind, 4, DIMENSION, 2), vectors[:1]])
    order = np.random.default_rng(0).permutation(ROWS)
    engine = engine_of(vectors, order, LISTERS[name](vectors))
    for k in (1, 20, 150, 2048):
        for allowed in (None, order % 3 > 0, order < 5):
            rows, found = engine.search(queries, k, allowed=allowed)
            for q, query in enumerate(queries):
                expected, similarity = oracle(query, vectors, order, k, allowed)
                assert rows[q].tolist() == expected
                np.testing.assert_array_equal(found[q], similarity)


@pytest.mark.parametrize("name", LISTERS)
def test_similarities_stay_within_the_error_that_is_claimed(name):
    vectors, queries = (unit_rows("random", n, DIMENSION, n) for n in (ROWS, 5))
    lister = LISTERS[name](vectors)
    floors, lists = lister.list_rows(queries, 50, None)
    for query, floor, rows in zip(queries, floors, lists, strict=True):
        exact = vectors.astype(np.float64) @ query.astype(np.float64)
        assert len(rows) == 50
        assert floor == pytest.approx(exact[rows].min(), abs=lister.error)
        assert np.delete(exact, rows).max() <= floor + lister.error


def test_threads_take_turns_at_one_index():
    vectors = unit_rows("random", ROWS, DIMENSION, 1)
    queries = unit_rows("random", 8, DIMENSION, 2)
    engine = engine_of(vectors, np.arange(ROWS), TorchLister(vectors, [CPU]))
    wanted = engine.search(queries, 10)[0]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda q: engine.search(queries[q : q + 1], 10)[0], range(8)))
    np.testing.assert_array_equal(np.concatenate(found), wanted)


@pytest.mark.gpu
@pytest.mark.parametrize("device", ["cuda", "cuda:all"])
@pytest.mark.parametrize("with_faiss", [True, False])
def test_gpus_give_the_same_rows_in_the_same_order(device, with_faiss, monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    if with_faiss and not listers.faiss_has_gpus():
        pytest.skip("needs the faiss-gpu package")
    monkeypatch.setattr(listers, "faiss_has_gpus", lambda: with_faiss)
    for kind in KINDS:
        vectors, queries = unit_rows(kind, 3000, 32, 1), unit_rows(kind, 5, 32, 2)
        order = np.random.default_rng(0).permutation(3000)
        engine = create_engine(vectors, order, device=device)
        for k in (1, 20, 2048):
            for allowed in (None, order % 3 > 0):
                rows, found = engine.search(queries, k, allowed=allowed)
                for q, query in enumerate(queries):
                    expected, similarity = oracle(query, vectors, order, k, allowed)
                    assert rows[q].tolist() == expected
                    np.testing.assert_array_equal(found[q], similarity)
