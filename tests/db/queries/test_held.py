"""Reading what a gallery holds; runs on SQLite and PostgreSQL."""

from dataclasses import replace

from sqlalchemy import Engine

from db.models import PhotoState
from db.queries.held import attribute_names, count_embeddings, iterate_photos, list_photos
from db.queries.photos import add_photos, remove_photos
from db.queries.subjects import find_subject
from db.session import session_scope
from tests.support.factories import make_gallery, new_photo


def test_removed_photos_are_tombstones_of_their_person_and_of_nothing_else(
    engine: Engine,
) -> None:
    with session_scope(engine) as session:
        gallery, other = make_gallery(session), make_gallery(session)
        batch = [new_photo("ann", "a"), new_photo("bob", "b"), new_photo("ann", "c")]
        numbers = [added.photo_id or 0 for added in add_photos(session, gallery.id, batch)]
        add_photos(session, other.id, [new_photo("eve", "a")])
        remove_photos(session, gallery.id, numbers[:1])
    with session_scope(engine) as session:
        held = [(photo.id, who.external_id) for photo, who in iterate_photos(session, gallery.id)]
        assert held == [(numbers[1], "bob"), (numbers[2], "ann")]
        ann = find_subject(session, gallery.id, "ann")
        assert ann is not None
        states = [photo.state for photo in list_photos(session, ann.id).rows]
        assert states == [PhotoState.REMOVED, PhotoState.ACTIVE]
        assert count_embeddings(session, numbers) == 2


def test_names_of_attributes_are_those_of_all_people_once_and_sorted(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        told = [{"origin": "x", "court": 1}, {"origin": "y"}, {}]
        photos = [
            replace(new_photo(name, name), attributes=attributes)
            for name, attributes in zip(("ann", "bob", "cy"), told, strict=True)
        ]
        add_photos(session, gallery.id, photos)
        assert attribute_names(session, gallery.id) == ["court", "origin"]
