from __future__ import annotations

import random
import struct

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.errors import Conflict
from db.models import Embedding, Gallery, GenerationState, IndexGeneration
from db.queries import indexes
from db.queries.galleries import gallery_ids
from db.queries.photos import add_photos, remove_photos
from db.queries.subjects import expunge_subject, find_subject
from db.session import session_scope
from tests.support.factories import make_gallery, make_photos, new_photo, sha256


def numbers(session: Session, gallery: Gallery, after: int, up_to: int) -> list[int]:
    found = indexes.iterate_vectors(session, gallery, after_revision=after, up_to_revision=up_to)
    return [row.photo_id for row in found]


def begin(session: Session, gallery: Gallery) -> IndexGeneration:
    return indexes.begin_generation(session, gallery.id, kind="flat", parameters={})


def activate(session: Session, generation: IndexGeneration) -> None:
    indexes.activate_generation(
        session, generation.id, photo_count=1, manifest_sha256=sha256("manifest")
    )


def test_a_span_of_revisions_holds_what_was_added_in_it(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        added = [make_photos(session, gallery, [f"s{i}", f"t{i}"]) for i in range(3)]
        assert numbers(session, gallery, 0, 3) == [number for batch in added for number in batch]
        assert numbers(session, gallery, 1, 2) == added[1]
        assert numbers(session, gallery, 3, 3) == []
        row = next(indexes.iterate_vectors(session, gallery, up_to_revision=3))  # and no more
        assert len(row.vector) == 8


def test_an_old_index_mended_by_the_records_equals_the_gallery(engine: Engine) -> None:
    """Whatever is added and removed, base minus removed plus added is what is active."""
    draw = random.Random(5)
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        active: set[int] = set()
        bases: dict[int, set[int]] = {0: set()}
        for step in range(25):
            if active and draw.random() < 0.4:
                gone = draw.sample(sorted(active), k=1)
                remove_photos(session, gallery.id, gone)
                active -= set(gone)
            else:
                batch = [new_photo(f"s{step}", draw.randrange(12)) for _ in range(2)]
                made = {added.photo_id for added in add_photos(session, gallery.id, batch)}
                active |= {number for number in made if number is not None}
            session.refresh(gallery)
            bases[gallery.revision] = set(active)
            for revision, base in bases.items():
                removed = indexes.removed_photo_ids(session, gallery.id, after_revision=revision)
                added_since = numbers(session, gallery, revision, gallery.revision)
                assert (base - set(removed)) | set(added_since) == active


def test_the_newest_finished_generation_is_active_and_alone(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        assert indexes.find_active_generation(session, gallery.id) is None
        first = begin(session, gallery)
        make_photos(session, gallery, ["ann"])
        second = begin(session, gallery)
        assert [(g.number, g.gallery_revision) for g in (first, second)] == [(1, 0), (2, 1)]
        activate(session, first)
        activate(session, second)
        assert indexes.find_active_generation(session, gallery.id) is second
        session.refresh(first)
        assert first.state is GenerationState.RETIRED
        listed = indexes.list_generations(session, gallery.id).rows
        assert [generation.number for generation in listed] == [2, 1]


def test_what_is_searched_now_is_known_of_one_gallery_and_of_all(engine: Engine) -> None:
    with session_scope(engine) as session:
        one, other = make_gallery(session), make_gallery(session)
        retired, first, second = begin(session, one), begin(session, one), begin(session, other)
        begin(session, other)  # never finished
        for generation in (retired, first, second):
            activate(session, generation)
        assert indexes.active_generations(session) == [first, second]
        assert indexes.active_generations(session, other.id) == [second]


def test_an_older_state_never_replaces_a_newer_one(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        slow = begin(session, gallery)
        make_photos(session, gallery, ["ann"])
        quick = begin(session, gallery)
        activate(session, quick)
        with pytest.raises(Conflict, match="newer state"):
            activate(session, slow)
        assert indexes.find_active_generation(session, gallery.id) is quick


def test_only_what_is_being_built_can_become_active(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        failed, done = begin(session, gallery), begin(session, gallery)
        indexes.fail_generation(session, failed.id)
        activate(session, done)
        for generation in (failed, done):
            with pytest.raises(Conflict, match="not being built"):
                activate(session, generation)
        assert indexes.fail_generation(session, done.id).state is GenerationState.ACTIVE


def test_only_photos_that_may_be_returned_are_shown(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        ann, bob, cid = make_photos(session, gallery, ["ann", "bob", "cid"])
        remove_photos(session, gallery.id, [bob])
        subject = find_subject(session, gallery.id, "cid")
        assert subject is not None
        expunge_subject(session, subject.id)
        shown = indexes.shown_photos(session, [ann, bob, cid, 10**9])
        assert list(shown) == [ann]
        assert (shown[ann].photo_id, shown[ann].external_id) == (ann, "ann")
        assert indexes.shown_photos(session, []) == {}


def test_more_photos_are_shown_than_a_statement_takes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "_IDS_PER_STATEMENT", 2)
    with session_scope(engine) as session:
        made = make_photos(session, make_gallery(session), [f"s{i}" for i in range(5)])
        assert sorted(indexes.shown_photos(session, made)) == made


def test_files_that_a_gallery_holds_are_known_by_content(engine: Engine) -> None:
    with session_scope(engine) as session:
        one, other = make_gallery(session), make_gallery(session)
        made = add_photos(session, one.id, [new_photo("ann", "a"), new_photo("ann", "b")])
        add_photos(session, other.id, [new_photo("ann", "c")])
        assert made[1].photo_id is not None
        remove_photos(session, one.id, [made[1].photo_id])
        files = [sha256(name) for name in ("a", "b", "c")]
        assert indexes.held_sha256s(session, one.id, files) == {sha256("a")}


def test_photos_without_a_vector_are_held_all_the_same(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        ann, bob, cid = make_photos(session, gallery, ["ann", "bob", "cid"])
        remove_photos(session, gallery.id, [bob])
        session.delete(session.get_one(Embedding, (cid, gallery.weights_sha256)))
        session.flush()
        held = {row.photo_id: row.vector for row in indexes.iterate_held(session, gallery)}
        assert list(held) == [ann, cid]
        assert held[cid] is None
        assert held[ann] == struct.pack("<2f", 0.6, 0.8)


def test_missing_and_damaged_vectors_are_replaced(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        ann, bob = make_photos(session, gallery, ["ann", "bob"])
        session.delete(session.get_one(Embedding, (ann, gallery.weights_sha256)))
        mended = struct.pack("<2f", 1, 0)
        indexes.replace_vectors(session, gallery, {ann: mended, bob: mended})
        assert [row.vector for row in indexes.iterate_held(session, gallery)] == [mended] * 2
        assert numbers(session, gallery, 0, gallery.revision) == [ann, bob]


def test_generations_being_built_are_listed(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        failed, done, open_one = (begin(session, gallery) for _ in range(3))
        indexes.fail_generation(session, failed.id)
        activate(session, done)
        assert indexes.building_generations(session, gallery.id) == [open_one]


def test_all_galleries_are_known(engine: Engine) -> None:
    with session_scope(engine) as session:
        made = [make_gallery(session).id for _ in range(3)]
        assert gallery_ids(session) == made
