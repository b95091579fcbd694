"""An approximate index tells the truth about what it finds and about what it misses."""

from __future__ import annotations

import numpy as np
import pytest

from forensic.errors import NotIndexed, RangeError
from forensic.gallery import ivf_pq
from forensic.gallery.drafts import NumberedPhotos
from forensic.gallery.exact import ExactSearch
from forensic.gallery.generation import open_generation, write_generation
from forensic.gallery.ivf_pq import IvfPq, build_ivf_pq
from tests.support.galleries import oracle, unit_rows

ROWS, DIMENSION = 1200, 16
VECTORS = unit_rows("random", ROWS, DIMENSION, 1)
ORDER = np.arange(ROWS)
PROBES = unit_rows("random", 4, DIMENSION, 2)


def build(**options):
    return build_ivf_pq(VECTORS, ORDER, IvfPq(**options), exact=ExactSearch(VECTORS, ORDER))


def written(folder, options):
    numbers = np.arange(ROWS) + 100
    persons = np.zeros((ROWS, 16), dtype=np.uint8)
    persons[:, 0] = np.arange(ROWS) % 200
    photos = NumberedPhotos(numbers, persons, VECTORS)
    done = write_generation(folder, photos, facts={}, ivf_pq=options)
    return done, open_generation(folder, manifest_sha256=done.manifest_sha256)


def test_looking_everywhere_and_rescoring_everything_misses_nothing():
    _, chosen, recall = build(n_lists=8, n_probe=8, refine=100)
    assert (recall.measured, recall.at, recall.n_probes) == (1.0, 50, 120)
    assert chosen.code_bytes == 2


def test_looking_into_few_lists_misses_what_is_measured(tmp_path):
    done, opened = written(tmp_path, IvfPq(n_lists=16, n_probe=1))
    assert 0.05 < done.recall.measured < 0.9
    assert opened.recall == done.recall
    shares = []
    for row in range(0, ROWS, 10):
        near, _ = oracle(VECTORS[row], VECTORS, ORDER, 51)
        ((rows, _),) = opened.search(
            VECTORS[row : row + 1], 51, group_by_subject=False, approximate=True
        )
        shares.append(len({*near} & {*rows.tolist()} - {row}) / 50)
    assert np.mean(shares) == pytest.approx(done.recall.measured, abs=0.1)


def test_what_is_measured_with_was_not_trained_on(monkeypatch):
    seen = {}
    train, measure = ivf_pq._train, ivf_pq.measure_recall

    def watched_train(sample, options):
        seen["trained"] = {row.tobytes() for row in sample}
        return train(sample, options)

    def watched_measure(approximate, exact, vectors, held_out):
        seen["held out"] = {row.tobytes() for row in vectors[held_out]}
        return measure(approximate, exact, vectors, held_out)

    monkeypatch.setattr(ivf_pq, "_train", watched_train)
    monkeypatch.setattr(ivf_pq, "measure_recall", watched_measure)
    build(n_lists=4)
    assert len(seen["held out"]) == 120
    assert not seen["held out"] & seen["trained"]


@pytest.mark.parametrize("grouped", [True, False])
def test_similarities_are_true_and_masks_are_kept(tmp_path, grouped):
    _, opened = written(tmp_path, IvfPq(n_lists=16, n_probe=4))
    allowed = ORDER % 3 == 0
    found = opened.search(PROBES, 20, group_by_subject=grouped, allowed=allowed, approximate=True)
    for probe, (rows, similarities) in zip(PROBES, found, strict=True):
        assert 0 < len(rows) <= 20
        assert allowed[rows].all()
        np.testing.assert_allclose(similarities, VECTORS[rows] @ probe, atol=1e-6)
        assert (np.diff(similarities) <= 0).all()
        if grouped:
            assert len(set((rows % 200).tolist())) == len(rows)


def test_exact_search_stays_the_default(tmp_path):
    _, opened = written(tmp_path, IvfPq(n_lists=16, n_probe=1))
    for probe, (rows, _) in zip(
        PROBES, opened.search(PROBES, 20, group_by_subject=False), strict=True
    ):
        assert rows.tolist() == oracle(probe, VECTORS, ORDER, 20)[0]


def test_what_was_not_built_is_not_used(tmp_path):
    _, opened = written(tmp_path, None)
    with pytest.raises(NotIndexed):
        opened.search(PROBES, 5, approximate=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"code_bytes": 5}, "does not divide 16"),
        ({"n_lists": 301}, "n_lists"),
        ({"n_lists": 8, "n_probe": 9}, "n_probe"),
        ({"refine": 0}, "refine"),
    ],
)
def test_numbers_that_cannot_be_are_refused(options, told):
    with pytest.raises(RangeError, match=told):
        build(**options)


def test_small_galleries_are_refused():
    with pytest.raises(RangeError, match="exact search is quicker"):
        IvfPq().resolve(999, 16)
