"""What a search over the records returns, and what it must never return."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest

from db.errors import NotFound
from db.models import Gallery
from db.queries.photos import remove_photos
from db.queries.rows import get_row
from db.queries.subjects import SubjectFilter, expunge_subject, find_subject
from db.session import session_scope
from forensic.errors import (
    CorruptIndex,
    EmptyGallery,
    IndexMismatch,
    NotIndexed,
    RangeError,
    ShapeError,
)
from forensic.gallery import generation
from forensic.gallery.ivf_pq import IvfPq
from forensic.jobs.galleries import searching
from forensic.jobs.galleries.projection import Plan, generation_folder, publish
from forensic.jobs.galleries.searching import GallerySearcher
from tests.support.factories import sha256
from tests.support.galleries import unit_rows
from tests.support.indexed import DIMENSION, WEIGHTS, add, expected, filled, listed, new_gallery

PROBES = unit_rows("random", 5, DIMENSION, 99)


def search(searcher, gallery_id, probes=PROBES, k=2048, **options):
    return searcher.search(gallery_id, probes, k, weights_sha256=WEIGHTS, **options)


def expunge(engine, gallery_id, external_id):
    with session_scope(engine) as session:
        expunge_subject(session, find_subject(session, gallery_id, external_id).id)


@pytest.mark.parametrize("kind", ["random", "repeated", "signs"])
@pytest.mark.parametrize("coded_from", [1, 10**9])
def test_ids_and_order_are_those_of_the_oracle(engine, tmp_path, kind, coded_from, monkeypatch):
    monkeypatch.setattr(generation, "CODED_FROM_ROWS", coded_from)
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 120, kind=kind, persons=50)
    publish(engine, tmp_path, gallery_id)
    searcher = GallerySearcher(engine, tmp_path)
    probes = np.concatenate([PROBES, np.stack([v for _, v in list(held.values())[:4]])])
    for k in (1, 7, 2048):
        for grouped in (True, False):
            together = listed(search(searcher, gallery_id, probes, k, group_by_subject=grouped))
            assert together == [expected(p, held, k, grouped=grouped) for p in probes]
            alone = [
                listed(search(searcher, gallery_id, probes[i : i + 1], k, group_by_subject=grouped))
                for i in (0, 8)
            ]
            assert alone == [[together[0]], [together[8]]]


def test_what_was_searched_is_told(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 20)
    published = publish(engine, tmp_path, gallery_id)
    searcher = GallerySearcher(engine, tmp_path)
    with session_scope(engine) as session:
        remove_photos(session, gallery_id, list(held)[:1])
    found = search(searcher, gallery_id, k=3)
    assert (found.generation_id, found.generation_number) == (published.generation_id, 1)
    assert (found.gallery_size, found.n_searched, found.n_subjects) == (19, 19, 5)
    assert (found.is_exact, found.measured_recall, found.device) == (True, None, "cpu")
    assert not found.is_current  # the removal is respected, but a photo may have been added too
    assert [hit.rank for hit in found.lists[0]] == [1, 2, 3]
    hit = found.lists[0][0]
    assert hit.similarity == pytest.approx(float(PROBES[0] @ held[hit.photo_id][1]), abs=1e-6)


def test_the_removed_and_the_expunged_leave_every_search_at_once(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 30)
    publish(engine, tmp_path, gallery_id)
    searcher = GallerySearcher(engine, tmp_path)
    search(searcher, gallery_id)  # the generation is open from now on
    gone = [number for number in held if number % 7 == 0]
    with session_scope(engine) as session:
        remove_photos(session, gallery_id, gone)
    expunge(engine, gallery_id, "s3")
    left = {n: h for n, h in held.items() if n not in gone and h[0] != "s3"}
    wanted = [expected(p, left, 2048) for p in PROBES]
    assert listed(search(searcher, gallery_id)) == wanted
    assert listed(search(GallerySearcher(engine, tmp_path), gallery_id)) == wanted
    publish(engine, tmp_path, gallery_id)
    found = search(searcher, gallery_id)
    assert listed(found) == wanted
    assert (found.generation_number, found.is_current) == (2, True)


@pytest.fixture
def openings(monkeypatch) -> list[Path]:
    """The folders that were opened, each of which is read and checked whole."""
    opened: list[Path] = []

    def watched(folder, **options):
        opened.append(folder)
        return generation.open_generation(folder, **options)

    monkeypatch.setattr(searching, "open_generation", watched)
    return opened


def test_a_warm_searcher_opens_each_generation_once_and_returns_nobody_who_left(
    engine, tmp_path, openings
):
    galleries = [new_gallery(engine, name) for name in ("one", "other")]
    held = [filled(engine, gallery_id, 20) for gallery_id in galleries]
    new_gallery(engine, "never published")
    for gallery_id in galleries:
        publish(engine, tmp_path, gallery_id)
    searcher = GallerySearcher(engine, tmp_path)
    searcher.warm()
    assert len(openings) == 2
    for gallery_id in galleries * 2:
        search(searcher, gallery_id)
    assert len(openings) == 2
    expunge(engine, galleries[0], "s1")
    left = {n: h for n, h in held[0].items() if h[0] != "s1"}
    wanted = [expected(p, left, 2048) for p in PROBES]
    assert listed(search(searcher, galleries[0])) == wanted  # from the warm generation
    publish(engine, tmp_path, galleries[0])
    searcher.warm(galleries[0])
    assert len(openings) == 3
    found = search(searcher, galleries[0])
    assert (listed(found), found.generation_number) == (wanted, 2)
    assert len(openings) == 3


def test_a_damaged_gallery_keeps_no_other_from_being_warmed(engine, tmp_path, openings, caplog):
    galleries = [new_gallery(engine, name) for name in ("one", "other")]
    for gallery_id in galleries:
        filled(engine, gallery_id, 10)
        publish(engine, tmp_path, gallery_id)
    broken = next(tmp_path.rglob("vectors.npy"))
    broken.write_bytes(broken.read_bytes()[:-1] + b"\x01")
    searcher = GallerySearcher(engine, tmp_path)
    searcher.warm()
    assert "cannot be opened" in caplog.text
    healthy = [g for g in galleries if str(g) not in str(broken)]
    assert len(healthy) == 1
    openings.clear()
    search(searcher, healthy[0])
    assert openings == []


def test_whoever_is_expunged_while_the_search_runs_is_not_returned(engine, tmp_path, monkeypatch):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 30)
    publish(engine, tmp_path, gallery_id)
    plain = generation.Generation.search

    def slow(self, *arguments, **options):
        ranked = plain(self, *arguments, **options)
        expunge(engine, gallery_id, "s1")
        return ranked

    monkeypatch.setattr(generation.Generation, "search", slow)
    left = {n: h for n, h in held.items() if h[0] != "s1"}
    found = search(GallerySearcher(engine, tmp_path), gallery_id, k=4)
    assert listed(found) == [expected(p, left, 4) for p in PROBES]
    assert found.gallery_size == len(left)


def test_filters_are_exact(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = {}
    for i, sex in enumerate(["male", "female", None]):
        vectors = unit_rows("random", 12, DIMENSION, i)
        names = [f"{sex}{j % 4}" for j in range(12)]
        held |= add(engine, gallery_id, vectors, names, sex=sex, birth_year=1970 + 10 * i)
    publish(engine, tmp_path, gallery_id)
    searcher = GallerySearcher(engine, tmp_path)
    for wanted, admitted in (
        (SubjectFilter(sex="male", keep_unknown=False), ("male",)),
        (SubjectFilter(sex="male"), ("male", "None")),
        (SubjectFilter(birth_years=(1975, 1985)), ("female",)),
    ):
        left = {n: h for n, h in held.items() if h[0].startswith(admitted)}
        found = search(searcher, gallery_id, wanted=wanted)
        assert listed(found) == [expected(p, left, 2048) for p in PROBES]
        assert (found.gallery_size, found.n_searched) == (36, len(left))
        assert found.n_subjects == len({h[0] for h in left.values()})
    nobody = search(searcher, gallery_id, wanted=SubjectFilter(sex="x", keep_unknown=False))
    assert listed(nobody) == [[]] * len(PROBES)


def test_the_spread_of_similarities_is_that_of_the_photos_searched(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 40)
    publish(engine, tmp_path, gallery_id)
    expunge(engine, gallery_id, "s0")
    left = np.stack([v for s, v in held.values() if s != "s0"])
    spread = GallerySearcher(engine, tmp_path).similarity_spread(
        gallery_id, PROBES, weights_sha256=WEIGHTS
    )
    np.testing.assert_allclose(spread, (PROBES @ left.T).std(axis=1), rtol=1e-5)


def test_searches_that_cannot_be_answered_are_refused(engine, tmp_path):
    gallery_id = new_gallery(engine)
    searcher = GallerySearcher(engine, tmp_path)
    with pytest.raises(NotFound):
        search(searcher, uuid.uuid4())
    with pytest.raises(NotIndexed, match="forensic gallery rebuild test"):
        search(searcher, gallery_id)
    publish(engine, tmp_path, gallery_id)
    with pytest.raises(EmptyGallery):
        search(searcher, gallery_id)
    filled(engine, gallery_id, 3)
    publish(engine, tmp_path, gallery_id)
    with pytest.raises(IndexMismatch, match="was embedded by fake"):
        searcher.search(gallery_id, PROBES, 1, weights_sha256=sha256("other"))
    for k in (0, 2049):
        with pytest.raises(RangeError):
            search(searcher, gallery_id, k=k)
    with pytest.raises(ShapeError):
        search(searcher, gallery_id, unit_rows("random", 1, DIMENSION + 1, 0))
    assert listed(search(searcher, gallery_id, PROBES[:0])) == []


def test_damaged_files_are_refused_with_the_remedy(engine, tmp_path):
    gallery_id = new_gallery(engine)
    filled(engine, gallery_id, 10)
    publish(engine, tmp_path, gallery_id)
    with session_scope(engine, read_only=True) as session:
        assert get_row(session, Gallery, gallery_id).name == "test"
    vectors = next(tmp_path.rglob("vectors.npy"))
    whole = vectors.read_bytes()
    vectors.write_bytes(whole[:-1] + b"\x01")
    with pytest.raises(CorruptIndex, match="forensic gallery rebuild test"):
        search(GallerySearcher(engine, tmp_path), gallery_id)
    publish(engine, tmp_path, gallery_id, rebuild=True)
    search(GallerySearcher(engine, tmp_path), gallery_id)
    for path in tmp_path.rglob("manifest.json"):
        path.unlink()
    with pytest.raises(CorruptIndex, match="forensic gallery rebuild test"):
        search(GallerySearcher(engine, tmp_path), gallery_id)


def test_another_galleries_generation_is_not_taken_for_this_ones(engine, tmp_path):
    one, other = new_gallery(engine, "one"), new_gallery(engine, "other")
    for gallery_id in (one, other):
        filled(engine, gallery_id, 10)
        publish(engine, tmp_path, gallery_id)
    with session_scope(engine, read_only=True) as session:
        from db.queries.indexes import find_active_generation

        mine, theirs = (find_active_generation(session, g) for g in (one, other))
    here, there = generation_folder(tmp_path, mine), generation_folder(tmp_path, theirs)
    aside = tmp_path / "aside"
    here.rename(aside)
    there.rename(here)
    with pytest.raises(CorruptIndex, match="not the manifest that the records hold"):
        search(GallerySearcher(engine, tmp_path), one)


def test_an_approximate_index_is_built_kept_and_used_only_when_asked_for(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 1000, persons=500)
    searcher = GallerySearcher(engine, tmp_path)
    publish(engine, tmp_path, gallery_id)
    with pytest.raises(NotIndexed, match="forensic gallery rebuild test --ivf-pq"):
        search(searcher, gallery_id, approximate=True)
    plan = Plan(IvfPq(n_lists=8, n_probe=1))
    published = publish(engine, tmp_path, gallery_id, plan=plan)
    assert published.photo_count == 1000
    exact = search(searcher, gallery_id, k=10)
    assert listed(exact) == [expected(p, held, 10) for p in PROBES]
    assert (exact.is_exact, exact.measured_recall, exact.recall_at) == (True, None, None)
    near = search(searcher, gallery_id, k=10, approximate=True)
    assert (near.is_exact, near.recall_at) == (False, 50)
    assert 0 < near.measured_recall == published.measured_recall < 1
    later = filled(engine, gallery_id, 1, seed=1)
    assert publish(engine, tmp_path, gallery_id).measured_recall is not None  # the plan stays
    with session_scope(engine) as session:
        remove_photos(session, gallery_id, list(later))
    found = search(searcher, gallery_id, k=2048, approximate=True)
    assert not {hit.photo_id for hits in found.lists for hit in hits} & later.keys()
    assert publish(engine, tmp_path, gallery_id, plan=Plan()).measured_recall is None
