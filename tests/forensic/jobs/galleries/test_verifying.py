"""Planted damage of every kind is found, named, and mended."""

from __future__ import annotations

import json

import numpy as np
import pytest

from db.errors import NotFound
from db.models import Gallery, GenerationState
from db.queries import indexes
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases.actor import command_actor
from forensic.cases.audit import Tag
from forensic.gallery import store
from forensic.gallery.drafts import NumberedPhotos
from forensic.gallery.generation import open_generation, write_generation
from forensic.jobs.galleries.projection import generation_folder, publish
from forensic.jobs.galleries.searching import GallerySearcher
from forensic.jobs.galleries.verifying import MEANING, Kind, mend, stray_galleries, verify
from tests.support.factories import unknown_id
from tests.support.galleries import unit_rows
from tests.support.indexed import (
    DIMENSION,
    WEIGHTS,
    expected,
    filled,
    listed,
    new_gallery,
    replace_vector,
)
from tests.support.service import events_of

PROBES = unit_rows("random", 3, DIMENSION, 99)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "indexes"


@pytest.fixture
def gallery_id(engine):
    return new_gallery(engine)


@pytest.fixture
def held(engine, folder, gallery_id):
    """The photos of a published gallery: number to person and vector."""
    photos = filled(engine, gallery_id, 12)
    publish(engine, folder, gallery_id)
    assert verify(engine, folder, gallery_id) == ()
    return photos


def active(engine, gallery_id):
    with session_scope(engine, read_only=True) as session:
        return indexes.find_active_generation(session, gallery_id)


def kinds(damage):
    return [one.kind for one in damage]


def assert_searched_right(engine, folder, gallery_id, held):
    found = GallerySearcher(engine, folder).search(gallery_id, PROBES, 50, weights_sha256=WEIGHTS)
    assert listed(found) == [expected(p, held, 50) for p in PROBES]


def assert_mended(engine, folder, gallery_id, held, kind):
    """One kind of damage is found, told without changing anything, mended, and gone."""
    assert kinds(verify(engine, folder, gallery_id)) == [kind]
    assert kinds(verify(engine, folder, gallery_id)) == [kind]
    done = mend(engine, folder, gallery_id, actor=command_actor())
    assert (kinds(done.found), done.left) == ([kind], ())
    assert verify(engine, folder, gallery_id) == ()
    assert_searched_right(engine, folder, gallery_id, held)
    return done


DAMAGED = {
    Kind.VECTOR_MISSING: None,
    Kind.VECTOR_SIZE: [0.6, 0.8],
    Kind.VECTOR_LENGTH: [1.0] * DIMENSION,
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_vectors_come_back_from_the_index(engine, folder, gallery_id, held, kind):
    damaged = sorted(held)[4]
    replace_vector(engine, damaged, DAMAGED[kind])
    done = assert_mended(engine, folder, gallery_id, held, kind)
    assert (done.restored, done.removed) == ((damaged,), ())
    assert done.found[0].photo_ids == (damaged,)
    with session_scope(engine, read_only=True) as session:
        gallery = get_row(session, Gallery, gallery_id)
        stored = {row.photo_id: row.vector for row in indexes.iterate_held(session, gallery)}
    assert stored[damaged] == held[damaged][1].astype("<f4").tobytes()


@pytest.mark.parametrize("kind", DAMAGED)
def test_photos_whose_vector_is_nowhere_are_taken_out(engine, folder, gallery_id, held, kind):
    later = filled(engine, gallery_id, 2, seed=1)  # not published, so not in the index
    lost = min(later)
    replace_vector(engine, lost, DAMAGED[kind])
    assert kinds(verify(engine, folder, gallery_id)) == [kind, Kind.BEHIND]
    done = mend(engine, folder, gallery_id, actor=command_actor())
    assert (done.restored, done.removed, done.left) == ((), (lost,), ())
    del later[lost]
    assert_searched_right(engine, folder, gallery_id, held | later)


def test_vectors_of_nan_and_zero_are_found(engine, folder, gallery_id, held):
    for number, vector in zip(sorted(held), ([np.nan] * 8, [0.0] * 8, [np.inf] * 8), strict=False):
        replace_vector(engine, number, vector)
    (damage,) = verify(engine, folder, gallery_id)
    assert (damage.kind, damage.count) == (Kind.VECTOR_LENGTH, 3)
    assert mend(engine, folder, gallery_id, actor=command_actor()).left == ()


@pytest.mark.parametrize("name", ["manifest.json", "vectors.npy", "photo_ids.npy"])
def test_missing_files(engine, folder, gallery_id, held, name):
    next(folder.rglob(name)).unlink()
    assert_mended(engine, folder, gallery_id, held, Kind.FILES_MISSING)


def test_a_missing_folder(engine, folder, gallery_id, held):
    generation_folder(folder, active(engine, gallery_id)).rename(folder.parent / "aside")
    assert_mended(engine, folder, gallery_id, held, Kind.FILES_MISSING)


@pytest.mark.parametrize("name", ["manifest.json", "vectors.npy", "subject_table.npy"])
def test_changed_files(engine, folder, gallery_id, held, name):
    path = next(folder.rglob(name))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert_mended(engine, folder, gallery_id, held, Kind.FILES_CORRUPT)


def test_files_cut_short(engine, folder, gallery_id, held):
    path = next(folder.rglob("vectors.npy"))
    path.write_bytes(path.read_bytes()[:-7])
    assert_mended(engine, folder, gallery_id, held, Kind.FILES_CORRUPT)


def test_a_forged_index_is_not_the_one_on_record(engine, folder, gallery_id, held):
    """Checksums inside the folder agree; only the records tell that the files are others."""
    manifest = next(folder.rglob("manifest.json"))
    facts = json.loads(manifest.read_text())
    del facts["seal"]
    facts["embedder_name"] = "another"
    manifest.write_text(json.dumps(facts | {"seal": store._seal(facts)}))
    assert_mended(engine, folder, gallery_id, held, Kind.FILES_CORRUPT)


@pytest.mark.parametrize("wrong", ["lacks", "adds", "vector", "person"])
def test_an_index_whose_rows_are_not_the_records(engine, folder, gallery_id, held, wrong):
    """A whole, recorded generation that holds something else than the records."""
    generation = active(engine, gallery_id)
    place = generation_folder(folder, generation)
    index = open_generation(place, manifest_sha256=generation.manifest_sha256)
    numbers, vectors = index.photo_ids.copy(), index.vectors.copy()
    persons = index.subject_ids_of(np.arange(len(index)))
    if wrong == "lacks":
        numbers, vectors, persons = numbers[1:], vectors[1:], persons[1:]
    elif wrong == "adds":
        numbers = np.append(numbers, 10**6)
        vectors, persons = vectors[[*range(12), 0]], persons[[*range(12), 0]]
    elif wrong == "vector":
        vectors[3] = vectors[4]
    else:
        persons[3] = persons[4]
    place.rename(folder.parent / "aside")
    photos = NumberedPhotos(numbers, persons, vectors)
    sha256 = write_generation(place, photos, facts=index.facts).manifest_sha256
    with session_scope(engine) as session:
        session.get(type(generation), generation.id).manifest_sha256 = sha256
    (damage,) = verify(engine, folder, gallery_id)
    first = {"lacks": min(held), "adds": 10**6}.get(wrong, sorted(held)[3])
    assert damage.photo_ids == (first,)
    assert_mended(engine, folder, gallery_id, held, Kind.ROWS_DIFFER)


def test_an_index_behind_the_records(engine, folder, gallery_id, held):
    held |= filled(engine, gallery_id, 3, seed=1)
    assert_mended(engine, folder, gallery_id, held, Kind.BEHIND)


def test_photos_without_any_index(engine, folder, gallery_id):
    held = filled(engine, gallery_id, 3)
    assert_mended(engine, folder, gallery_id, held, Kind.NOT_INDEXED)


def test_an_empty_gallery_needs_no_index(engine, folder, gallery_id):
    assert verify(engine, folder, gallery_id) == ()
    assert not folder.exists()


def test_generations_whose_builder_was_killed(engine, folder, gallery_id, held):
    with session_scope(engine) as session:
        stale = indexes.begin_generation(session, gallery_id, kind="exact", parameters={})
    assert_mended(engine, folder, gallery_id, held, Kind.BUILDING)
    with session_scope(engine, read_only=True) as session:
        states = {g.id: g.state for g in indexes.list_generations(session, gallery_id).rows}
    assert states[stale.id] is GenerationState.FAILED


def test_files_of_no_generation(engine, folder, gallery_id, held):
    place = folder / str(gallery_id)
    (place / str(unknown_id()) / "generation-x").mkdir(parents=True)
    (place / "stray").write_bytes(b"left over")
    (damage,) = verify(engine, folder, gallery_id)
    assert damage.count == 2
    assert_mended(engine, folder, gallery_id, held, Kind.STRAY_FILES)


def test_several_kinds_at_once_are_all_mended(engine, folder, gallery_id, held):
    next(folder.rglob("vectors.npy")).unlink()
    lost = min(held)
    replace_vector(engine, lost, None)
    (folder / str(gallery_id) / "stray").write_bytes(b"left over")
    done = mend(engine, folder, gallery_id, actor=command_actor())
    assert kinds(done.found) == [Kind.VECTOR_MISSING, Kind.FILES_MISSING, Kind.STRAY_FILES]
    assert (done.removed, done.left) == ((lost,), ())
    del held[lost]
    assert_searched_right(engine, folder, gallery_id, held)
    with session_scope(engine, read_only=True) as session:
        (event,) = events_of(session, Tag.GALLERY_MENDED)
    assert f"[{lost}]" in event.payload


def test_folders_of_unknown_galleries_are_listed(engine, folder, gallery_id, held):
    assert stray_galleries(engine, folder) == []
    stray = folder / str(unknown_id())
    stray.mkdir()
    assert stray_galleries(engine, folder) == [stray]


def test_unknown_galleries_are_refused(engine, folder):
    with pytest.raises(NotFound):
        verify(engine, folder, unknown_id())


def test_every_kind_is_told_in_words():
    assert set(MEANING) == set(Kind)
