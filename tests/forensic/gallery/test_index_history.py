"""Whatever is added, removed, saved and opened again, a search gives what remains, in order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from forensic.errors import EmptyGallery
from forensic.gallery import index as index_module
from forensic.gallery.index import GalleryIndex
from tests.support.galleries import KINDS, oracle, unit_rows

DIMENSION = 6
seeds = st.integers(0, 2**32 - 1)


class GalleryHistory(RuleBasedStateMachine):
    """Compares an index with a plain list of its rows."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.made = 0

    def new_rows(self, kind, count, seed):
        rows = unit_rows(kind, count, DIMENSION, seed)
        generator = np.random.default_rng(seed)
        photos = [f"p{generator.integers(10**6):06}-{self.made + i}" for i in range(count)]
        subjects = [f"s{i}" for i in generator.integers(0, 12, count)]
        self.made += count
        return rows, photos, subjects

    @initialize(kind=st.sampled_from(KINDS), count=st.integers(1, 60), seed=seeds)
    def build(self, kind, count, seed):
        self.vectors, self.photos, self.subjects = self.new_rows(kind, count, seed)
        self.index = GalleryIndex.build(
            self.vectors,
            photo_ids=self.photos,
            subject_ids=self.subjects,
            embedder_name="fake",
            weights_sha256="00",
        )

    @rule(kind=st.sampled_from(KINDS), count=st.integers(0, 40), seed=seeds)
    def add(self, kind, count, seed):
        rows, photos, subjects = self.new_rows(kind, count, seed)
        self.index.add(rows, photo_ids=photos, subject_ids=subjects)
        self.vectors = np.concatenate([self.vectors, rows])
        self.photos, self.subjects = self.photos + photos, self.subjects + subjects

    @rule(gone=st.sets(st.integers(0, 12), max_size=6))
    def remove(self, gone):
        names = {f"s{i}" for i in gone}
        keep = [i for i, s in enumerate(self.subjects) if s not in names]
        assert self.index.remove_subjects(names) == len(self.photos) - len(keep)
        self.vectors = self.vectors[keep]
        self.photos = [self.photos[i] for i in keep]
        self.subjects = [self.subjects[i] for i in keep]

    @rule()
    def save_and_open_again(self):
        self.index.save(self.folder)
        self.index = GalleryIndex.load(self.folder, expect_embedder="fake")

    @precondition(lambda self: self.photos)
    @rule(
        kind=st.sampled_from(KINDS),
        k=st.sampled_from([1, 3, 20, 2048]),
        batch=st.sampled_from([1, 5]),
        share=st.sampled_from([None, 0.3, 0.9]),
        seed=seeds,
    )
    def search(self, kind, k, batch, share, seed):
        queries = unit_rows(kind, batch, DIMENSION, seed)
        queries[0] = self.vectors[seed % len(self.vectors)]
        generator = np.random.default_rng(seed)
        allowed = None if share is None else generator.random(len(self.photos)) < share
        photos = self.index.search(queries, k, group_by_subject=False, allowed=allowed)
        persons = self.index.search(queries, k, allowed=allowed)
        for query, by_photo, by_person in zip(queries, photos, persons, strict=True):
            rows, _ = oracle(query, self.vectors, self.photos, len(self.photos), allowed)
            assert [c.photo_id for c in by_photo] == [self.photos[i] for i in rows[:k]]
            best = {}
            for row in rows:
                best.setdefault(self.subjects[row], self.photos[row])
            assert [(c.subject_id, c.photo_id) for c in by_person] == list(best.items())[:k]
            assert [c.rank for c in by_person] == list(range(1, len(by_person) + 1))

    @invariant()
    def holds_as_many_rows(self):
        if hasattr(self, "index"):
            assert len(self.index) == len(self.photos)
            if not self.photos:
                with pytest.raises(EmptyGallery):
                    self.index.search(unit_rows("random", 1, DIMENSION, 0), 1)

    def teardown(self):
        shutil.rmtree(self.folder)


@pytest.mark.parametrize("coded_from_rows", [1, 10**9])
def test_histories(coded_from_rows, monkeypatch):
    monkeypatch.setattr(index_module, "CODED_FROM_ROWS", coded_from_rows)
    run_state_machine_as_test(
        GalleryHistory, settings=settings(max_examples=15, stateful_step_count=12, deadline=None)
    )
