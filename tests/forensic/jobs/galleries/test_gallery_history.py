"""Whatever is added, removed, expunged, published and restarted: a search gives what remains."""

from __future__ import annotations

import itertools
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
    rule,
    run_state_machine_as_test,
)

from db.queries.photos import remove_photos
from db.queries.subjects import expunge_subject, find_subject
from db.session import session_scope
from forensic.errors import EmptyGallery
from forensic.gallery import generation
from forensic.jobs.galleries.projection import publish
from forensic.jobs.galleries.searching import GallerySearcher
from tests.support.galleries import KINDS, unit_rows
from tests.support.indexed import DIMENSION, WEIGHTS, add, expected, listed, new_gallery

PERSONS = 8
names = itertools.count()
seeds = st.integers(0, 2**32 - 1)
persons = st.integers(0, PERSONS - 1).map(lambda i: f"s{i}")


class RecordsHistory(RuleBasedStateMachine):
    """Compares searches with a plain dictionary: what was published, less what is gone since."""

    engine = None

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())

    @initialize()
    def begin(self):
        self.gallery_id = new_gallery(self.engine, f"history{next(names)}")
        self.held, self.published = {}, {}
        self.searchers = [GallerySearcher(self.engine, self.folder) for _ in range(2)]
        publish(self.engine, self.folder, self.gallery_id)

    @rule(kind=st.sampled_from(KINDS), count=st.integers(1, 25), seed=seeds)
    def add(self, kind, count, seed):
        vectors = unit_rows(kind, count, DIMENSION, seed)
        generator = np.random.default_rng(seed)
        subjects = [f"s{i}" for i in generator.integers(0, PERSONS, count)]
        self.held |= add(self.engine, self.gallery_id, vectors, subjects)

    @rule(data=st.data())
    def remove(self, data):
        gone = (
            data.draw(st.sets(st.sampled_from(sorted(self.held)), max_size=5)) if self.held else ()
        )
        with session_scope(self.engine) as session:
            remove_photos(session, self.gallery_id, sorted(gone))
        self.forget(lambda number, _: number in gone)

    @rule(person=persons)
    def expunge(self, person):
        with session_scope(self.engine) as session:
            subject = find_subject(session, self.gallery_id, person)
            if subject is None:
                return
            expunge_subject(session, subject.id)
        self.forget(lambda _, subject: subject == person)

    def forget(self, is_gone):
        for photos in (self.held, self.published):
            for number in [n for n, (subject, _) in photos.items() if is_gone(n, subject)]:
                del photos[number]

    @rule(rebuild=st.booleans())
    def publish(self, rebuild):
        done = publish(self.engine, self.folder, self.gallery_id, rebuild=rebuild)
        self.published = dict(self.held)
        assert done.photo_count == len(self.held)

    @rule()
    def restart(self):
        self.searchers[0] = GallerySearcher(self.engine, self.folder)

    @rule(
        kind=st.sampled_from(KINDS),
        k=st.sampled_from([1, 3, 2048]),
        batch=st.sampled_from([1, 4]),
        grouped=st.booleans(),
        seed=seeds,
    )
    def search(self, kind, k, batch, grouped, seed):
        probes = unit_rows(kind, batch, DIMENSION, seed)
        if self.published:
            number = sorted(self.published)[seed % len(self.published)]
            probes[0] = self.published[number][1]
        for searcher in self.searchers:
            try:
                found = searcher.search(
                    self.gallery_id, probes, k, weights_sha256=WEIGHTS, group_by_subject=grouped
                )
            except EmptyGallery:
                assert not self.published
                continue
            wanted = [expected(p, self.published, k, grouped=grouped) for p in probes]
            assert listed(found) == wanted
            assert found.gallery_size == len(self.published)

    @invariant()
    def keeps_one_generation_on_disk(self):
        if hasattr(self, "gallery_id"):
            assert len(list(self.folder.rglob("manifest.json"))) == 1

    def teardown(self):
        shutil.rmtree(self.folder)


@pytest.mark.parametrize("coded_from_rows", [1, 10**9])
def test_histories(engine, backend, coded_from_rows, monkeypatch):
    monkeypatch.setattr(generation, "CODED_FROM_ROWS", coded_from_rows)
    examples = 8 if backend == "sqlite" else 2
    RecordsHistory.engine = engine
    run_state_machine_as_test(
        RecordsHistory,
        settings=settings(max_examples=examples, stateful_step_count=12, deadline=None),
    )
