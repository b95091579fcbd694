from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.errors import NotFound
from db.models import Embedding, Gallery, ItemState, JobItem, Photo, PhotoState, Subject
from db.queries import subjects
from db.queries.held import count_embeddings
from db.queries.indexes import removed_photo_ids
from db.queries.job_items import EndedItem, NewItem, add_items, end_items
from db.queries.jobs import claim_job, create_job
from db.queries.photos import add_photos
from db.queries.searches import RankedPhoto, complete_search, list_candidates
from db.queries.subjects import SubjectFilter, expunge_subject, find_subject
from db.session import session_scope
from tests.support.factories import make_gallery, make_search, new_photo, outcome, sha256


def _subject(session: Session, gallery: Gallery, external_id: str) -> Subject:
    found = find_subject(session, gallery.id, external_id)
    assert found is not None
    return found


def test_expunging_leaves_a_tombstone_without_anything_of_the_person(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        told = {"sex": "f", "birth_year": 1980, "attributes": {"scar": "left cheek"}}
        batch = [new_photo("ann", "a", **told), new_photo("ann", "b"), new_photo("bob", "c")]
        numbers = [added.photo_id for added in add_photos(session, gallery.id, batch)]
        gone = expunge_subject(session, _subject(session, gallery, "ann").id)
    assert list(gone.photo_ids) == numbers[:2]
    assert gone.file_sha256s == {sha256(f) for f in ("a", "b", "crop of a", "crop of b")}
    with session_scope(engine) as session:
        ann = _subject(session, gallery, "ann")
        assert (ann.sex, ann.birth_year, ann.attributes) == (None, None, {})
        assert ann.expunged_at is not None
        photos = session.scalars(select(Photo).where(Photo.subject_id == ann.id)).all()
        assert {p.state for p in photos} == {PhotoState.EXPUNGED}
        left = {(p.source, repr(p.quality), repr(p.landmarks)) for p in photos}
        assert left == {("", "{}", "[]")}
        assert count_embeddings(session, gone.photo_ids) == 0
        assert session.scalars(select(Embedding.photo_id)).all() == numbers[2:]
        listed = subjects.list_subjects(session, gallery.id).rows
        assert [subject.external_id for subject in listed] == ["bob"]


def test_expunging_again_names_the_same_files_and_changes_nothing(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        add_photos(session, gallery.id, [new_photo("ann", "a")])
        ann = _subject(session, gallery, "ann")
        first = expunge_subject(session, ann.id)
        when, revision = ann.expunged_at, gallery.revision
        assert expunge_subject(session, ann.id) == first
        assert (ann.expunged_at, gallery.revision) == (when, revision)


def test_files_that_another_photo_is_are_kept(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery, other = make_gallery(session), make_gallery(session)
        add_photos(session, gallery.id, [new_photo("ann", "a"), new_photo("ann", "b")])
        add_photos(session, other.id, [new_photo("ann", "a")])
        gone = expunge_subject(session, _subject(session, gallery, "ann").id)
        assert gone.file_sha256s == {sha256("b"), sha256("crop of b")}


def test_expunged_photos_are_excluded_from_every_older_index(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        for name in ("ann", "bob", "cid"):
            add_photos(session, gallery.id, [new_photo(name, name)])
        gone = expunge_subject(session, _subject(session, gallery, "ann").id)
        session.refresh(gallery)
        assert gallery.revision == 4
        for revision in range(4):
            found = removed_photo_ids(session, gallery.id, after_revision=revision)
            assert tuple(found) == gone.photo_ids
        assert removed_photo_ids(session, gallery.id, after_revision=4) == []


def test_expunging_clears_the_names_in_import_records(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        job = create_job(session, kind="import", parameters={}, gallery_id=gallery.id)
        claim_job(session, job.id, "w", lease=timedelta(minutes=1))
        names = [("Doe, Ann 1980.jpg", "ann"), ("Doe, Ann blurred.jpg", "ann"), ("b.jpg", "bob")]
        add_items(session, job.id, "w", [NewItem(n, who, {"sex": "f"}) for n, who in names])
        items = session.scalars(select(JobItem).order_by(JobItem.position)).all()
        photo_id = add_photos(session, gallery.id, [new_photo("ann", "a")])[0].photo_id
        ended = [
            EndedItem(items[0].id, ItemState.INDEXED, photo_id=photo_id),
            EndedItem(items[1].id, ItemState.REJECTED, reason_code="blurred"),
            EndedItem(items[2].id, ItemState.REJECTED, reason_code="blurred"),
        ]
        end_items(session, job.id, "w", ended)
        expunge_subject(session, _subject(session, gallery, "ann").id)
    with session_scope(engine) as session:
        items = session.scalars(select(JobItem).order_by(JobItem.position)).all()
        told = [(item.name, item.subject_metadata) for item in items]
        assert told == [("(expunged)", {}), ("(expunged)", {}), ("b.jpg", {"sex": "f"})]


def test_lists_of_earlier_searches_stay_as_they_were(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        photo_id = add_photos(session, gallery.id, [new_photo("ann", "a")])[0].photo_id
        assert photo_id is not None
        search = make_search(session, gallery)
        complete_search(session, search.id, outcome(), [RankedPhoto(photo_id, 0.5)])
        expunge_subject(session, _subject(session, gallery, "ann").id)
        assert list_candidates(session, search.id).rows[0].photo_sha256 == sha256("a")


@pytest.mark.parametrize(
    ("wanted", "known", "unknown"),
    [
        (SubjectFilter(), {"ann", "bob"}, {"nil"}),
        (SubjectFilter(sex="f"), {"ann"}, {"nil"}),
        (SubjectFilter(birth_years=(1980, None)), {"ann", "bob"}, {"nil"}),
        (SubjectFilter(birth_years=(1981, 1990)), {"bob"}, {"nil"}),
        (SubjectFilter(birth_years=(None, 1980)), {"ann"}, {"nil"}),
        (SubjectFilter(attributes={"county": "Kent"}), {"bob"}, {"nil"}),
        (SubjectFilter(sex="f", attributes={"county": "Kent"}), set(), {"nil"}),
        (SubjectFilter(attributes={'it\'s "x"': "' OR 1=1 --"}), set(), {"ann", "bob", "nil"}),
    ],
)
def test_filters_on_metadata(
    engine: Engine, wanted: SubjectFilter, known: set[str], unknown: set[str]
) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        batch = [
            new_photo("ann", "a", sex="f", birth_year=1980, attributes={"county": "Essex"}),
            new_photo("bob", "b", sex="m", birth_year=1990, attributes={"county": "Kent"}),
            new_photo("nil", "n"),
        ]
        numbers = {
            added.photo_id: photo.subject_external_id
            for added, photo in zip(add_photos(session, gallery.id, batch), batch, strict=True)
        }

        def passing(wanted: SubjectFilter) -> set[str]:
            found = subjects.iterate_photo_ids(session, gallery.id, wanted)
            return {numbers[number] for number in found}

        assert passing(wanted) == known | unknown
        strictly = SubjectFilter(
            wanted.sex, wanted.birth_years, wanted.attributes, keep_unknown=False
        )
        expected = known | (unknown if wanted == SubjectFilter() else set())
        assert passing(strictly) == expected


def test_metadata_may_be_replaced_until_expunged(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        add_photos(session, gallery.id, [new_photo("ann", "a")])
        ann = _subject(session, gallery, "ann")
        subjects.update_subject(session, ann.id, sex="f", birth_year=1980, attributes={"a": 1})
        assert (ann.sex, ann.birth_year, ann.attributes) == ("f", 1980, {"a": 1})
        expunge_subject(session, ann.id)
        with pytest.raises(NotFound):
            subjects.update_subject(session, ann.id, sex="f", birth_year=None, attributes={})
