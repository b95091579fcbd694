# ruff: noqa: PT012 - the whole transaction is what must fail

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from db.errors import Invalid, NotFound
from db.models import Embedding, Gallery, Photo, PhotoState, Subject
from db.models.galleries import NOT_REMOVED
from db.queries.galleries import count_photos, get_gallery, list_galleries
from db.queries.held import list_photos
from db.queries.photos import (
    Added,
    AddedPhoto,
    add_photos,
    find_known,
    remove_photos,
)
from db.queries.subjects import expunge_subject, find_subject
from db.session import open_engine, session_scope
from tests.support.factories import make_gallery, new_photo, sha256, unknown_id


def test_each_file_is_added_once(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        batch = [new_photo("ann", "a"), new_photo("bob", "b"), new_photo("ann", "a")]
        first = add_photos(session, gallery.id, batch)
        assert [added.outcome for added in first] == [
            Added.INDEXED,
            Added.INDEXED,
            Added.DUPLICATE,
        ]
        assert first[2].photo_id == first[0].photo_id
        again = add_photos(session, gallery.id, [new_photo("ann", "c"), *batch])
        assert [added.outcome.value for added in again] == ["indexed"] + ["duplicate"] * 3
        assert again[1].photo_id == first[0].photo_id
    with session_scope(engine) as session:
        assert count_photos(session, gallery.id) == 3
        assert session.scalars(select(func.count()).select_from(Subject)).one() == 2
        ann = find_subject(session, gallery.id, "ann")
        assert ann is not None
        assert len(list_photos(session, ann.id).rows) == 2


def test_what_would_become_of_a_file_is_foretold(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        photo_id = add_photos(session, gallery.id, [new_photo("ann", "a")])[0].photo_id
        add_photos(session, gallery.id, [new_photo("gone", "g")])
        gone = find_subject(session, gallery.id, "gone")
        assert gone is not None
        expunge_subject(session, gone.id)
    asked = [("a", "bob"), ("g", "bob"), ("new", "gone"), ("new", "bob")]
    with session_scope(engine, read_only=True) as session:
        foretold = find_known(session, gallery.id, [(sha256(file), who) for file, who in asked])
    assert foretold == [
        AddedPhoto(Added.DUPLICATE, photo_id),
        AddedPhoto(Added.EXPUNGED, None),
        AddedPhoto(Added.EXPUNGED, None),
        None,
    ]


def test_vectors_come_back_bit_by_bit(engine: Engine) -> None:
    vector = struct.pack("<2f", -1e-30, 0.1)
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        add_photos(session, gallery.id, [new_photo("ann", "a", vector=vector)])
    with session_scope(engine) as session:
        embedding = session.scalars(select(Embedding)).one()
        assert embedding.vector == vector
        assert embedding.weights_sha256 == gallery.weights_sha256


def test_the_same_file_may_be_in_several_galleries(engine: Engine) -> None:
    with session_scope(engine) as session:
        for gallery in (make_gallery(session), make_gallery(session)):
            added = add_photos(session, gallery.id, [new_photo("ann", "a")])
            assert added[0].outcome is Added.INDEXED
        assert len(list_galleries(session).rows) == 2


def test_revision_grows_only_when_something_changed(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery_id = make_gallery(session).id
    for expected in (1, 1, 1):  # the second and third time all are duplicates
        with session_scope(engine) as session:
            add_photos(session, gallery_id, [new_photo("ann", "a")])
            gallery = session.get_one(Gallery, gallery_id, populate_existing=True)
            assert (gallery.revision, gallery.version) == (expected, 1)


def test_removed_photo_may_come_back_under_a_new_number(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        old = add_photos(session, gallery.id, [new_photo("ann", "a")])[0].photo_id
        assert old is not None
        assert remove_photos(session, gallery.id, [old, 10**9]) == [old]
        assert remove_photos(session, gallery.id, [old]) == []
        tombstone = session.get_one(Photo, old)
        assert (tombstone.state, tombstone.source) == (PhotoState.REMOVED, "")
        assert session.scalars(select(Embedding)).all() == []
        new = add_photos(session, gallery.id, [new_photo("ann", "a")])[0]
        assert new.outcome is Added.INDEXED
        assert new.photo_id is not None
        assert new.photo_id > old


def test_photos_of_another_gallery_are_not_removed(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery, other = make_gallery(session), make_gallery(session)
        photo_id = add_photos(session, gallery.id, [new_photo("ann", "a")])[0].photo_id
        assert photo_id is not None
        assert remove_photos(session, other.id, [photo_id]) == []
        assert count_photos(session, gallery.id) == 1


def test_expunged_people_and_files_do_not_come_back(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        add_photos(session, gallery.id, [new_photo("ann", "a")])
        ann = find_subject(session, gallery.id, "ann")
        assert ann is not None
        expunge_subject(session, ann.id)
        batch = [new_photo("ann", "new"), new_photo("bob", "a"), new_photo("bob", "b")]
        added = add_photos(session, gallery.id, batch)
        assert [a.outcome for a in added] == [Added.EXPUNGED, Added.EXPUNGED, Added.INDEXED]
        assert count_photos(session, gallery.id) == 1


def test_vector_of_another_embedder_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="2 float32"), session_scope(engine) as session:
        gallery = make_gallery(session)
        add_photos(session, gallery.id, [new_photo("ann", "a", vector=b"1234")])


def test_too_many_at_once_are_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="2000"), session_scope(engine) as session:
        add_photos(session, unknown_id(), [new_photo("ann", "a")] * 2001)


def test_gallery_that_is_not_there(engine: Engine) -> None:
    with pytest.raises(NotFound), session_scope(engine) as session:
        add_photos(session, unknown_id(), [])
    with pytest.raises(NotFound, match="mugshots"), session_scope(engine) as session:
        get_gallery(session, "mugshots")


def test_two_imports_of_the_same_photos_at_once(url: str, engine: Engine) -> None:
    """In opposite orders, and with new people in both."""
    with session_scope(engine) as session:
        gallery = make_gallery(session)
    photos = [new_photo(f"subject{i % 10}", i) for i in range(40)]
    outcomes: list[Added] = []

    def import_all(order: int) -> None:
        own = open_engine(url)
        for start in range(0, 40, 8):
            batch = photos[::order][start : start + 8]
            with session_scope(own) as session:
                added = add_photos(session, gallery.id, batch)
            outcomes.extend(a.outcome for a in added)
        own.dispose()

    threads = [threading.Thread(target=import_all, args=(order,)) for order in (1, -1, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (outcomes.count(Added.INDEXED), outcomes.count(Added.DUPLICATE)) == (40, 80)
    with session_scope(engine) as session:
        assert count_photos(session, gallery.id) == 40
        assert session.scalars(select(func.count()).select_from(Embedding)).one() == 40
        assert session.scalars(select(func.count()).select_from(Subject)).one() == 10


_IMPORTER = """
import sys, uuid
from db.queries.photos import add_photos
from db.session import open_engine, session_scope
from tests.support.factories import new_photo
engine = open_engine(sys.argv[1])
for start in range(0, 1000, 5):
    with session_scope(engine) as session:
        batch = [new_photo(f"subject{i}", i) for i in range(start, start + 5)]
        add_photos(session, uuid.UUID(sys.argv[2]), batch)
        sys.stdout.write(".")
        sys.stdout.flush()
"""


def test_killed_import_is_taken_up_again(url: str, engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
    root = Path(__file__).parents[3]
    importer = subprocess.Popen(
        [sys.executable, "-c", _IMPORTER, url, str(gallery.id)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
    )
    assert importer.stdout is not None
    importer.stdout.read(3)
    importer.send_signal(signal.SIGKILL)
    importer.communicate()
    with session_scope(engine) as session:
        # A server may still be committing the dead importer's last batch. Whoever adds holds the
        # gallery's lock, so once a first photo was added that batch is wholly in or wholly out.
        add_photos(session, gallery.id, [new_photo("subject0", 0)])
        kept = count_photos(session, gallery.id)
        assert kept >= 10
        assert kept % 5 == 0
        photos = [new_photo(f"subject{i}", i) for i in range(kept + 5)]
        outcomes = [a.outcome for a in add_photos(session, gallery.id, photos)]
        assert outcomes == [Added.DUPLICATE] * kept + [Added.INDEXED] * 5


def test_content_is_found_by_its_index(engine: Engine) -> None:
    """Looking a batch up must not read the whole gallery, a hundred thousand times."""
    if engine.dialect.name == "postgresql":
        pytest.skip("PostgreSQL rightly reads a small table whole.")
    statement = select(Photo.id).where(
        Photo.gallery_id == unknown_id(), Photo.sha256.in_(["0" * 64, "1" * 64]), NOT_REMOVED
    )
    compiled = statement.compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
    assert "uq_photos_content (gallery_id=? AND sha256=?)" in str(plan)
