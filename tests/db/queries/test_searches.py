from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.errors import Conflict, Invalid
from db.models import Search, SearchInput
from db.queries import searches
from db.queries.cases import close_case
from db.queries.probes import add_landmarks, add_probe, withdraw_probe
from db.queries.searches import RankedPhoto, complete_search
from db.queries.subjects import expunge_subject, find_subject
from db.session import session_scope
from tests.support.factories import (
    POINTS,
    make_candidates,
    make_case,
    make_gallery,
    make_photos,
    make_search,
    new_probe,
    outcome,
)


def test_a_search_is_completed_once_with_all_its_facts(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        first, second = make_photos(session, gallery, ["ann", "bob"])
        search = make_search(session, gallery)
        ranked = [RankedPhoto(second, 0.9), RankedPhoto(first, 0.4)]
        complete_search(session, search.id, outcome(gallery_size=2), ranked)
        with pytest.raises(Conflict, match="before"):
            complete_search(session, search.id, outcome(), ranked)
    with session_scope(engine) as session:
        found = session.get_one(Search, search.id)
        assert (found.gallery_size, found.is_exact, found.device) == (2, True, "cpu")
        assert found.completed_at is not None
        listed = searches.list_candidates(session, search.id).rows
        assert [(c.rank, c.photo_id, c.similarity) for c in listed] == [
            (1, second, 0.9),
            (2, first, 0.4),
        ]
        assert [given.position for given in searches.list_inputs(session, search.id)] == [0]


def test_no_candidate_is_a_result(engine: Engine) -> None:
    with session_scope(engine) as session:
        search = make_search(session, make_gallery(session))
        complete_search(session, search.id, outcome(gallery_size=0), [])
        assert search.completed_at is not None


def test_candidates_expunged_meanwhile_are_not_listed(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        photo_ids = make_photos(session, gallery, ["ann", "bob"])
        search = make_search(session, gallery)
        ann = find_subject(session, gallery.id, "ann")
        assert ann is not None
        expunge_subject(session, ann.id)
        with pytest.raises(Conflict, match="search again"):
            complete_search(session, search.id, outcome(), [RankedPhoto(photo_ids[0], 0.9)])


def test_photos_of_another_gallery_are_refused(engine: Engine) -> None:
    with session_scope(engine) as session:
        photo_ids = make_photos(session, make_gallery(session), ["ann"])
        search = make_search(session, make_gallery(session))
        with pytest.raises(Conflict, match="search again"):
            complete_search(session, search.id, outcome(), [RankedPhoto(photo_ids[0], 0.9)])


def test_list_longer_than_asked_for_is_refused(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        photo_ids = make_photos(session, gallery, ["ann", "bob"])
        search = make_search(session, gallery)
        search.list_length = 1
        with pytest.raises(Conflict, match="1 were asked for"):
            complete_search(session, search.id, outcome(), [RankedPhoto(i, 0) for i in photo_ids])


def test_approximate_search_must_tell_its_recall(engine: Engine) -> None:
    with session_scope(engine) as session:
        search = make_search(session, make_gallery(session))
    with pytest.raises(Conflict, match="recall"), session_scope(engine) as session:
        complete_search(session, search.id, outcome(is_exact=False), [])


def test_one_person_is_listed_once(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery = make_gallery(session)
        photo_ids = make_photos(session, gallery, ["ann", "ann"])
        search = make_search(session, gallery)
    with pytest.raises(Conflict), session_scope(engine) as session:
        complete_search(session, search.id, outcome(), [RankedPhoto(i, 0.5) for i in photo_ids])


def test_identifiers_of_candidates_do_not_tell_the_rank(engine: Engine) -> None:
    with session_scope(engine) as session:
        candidates = make_candidates(session, 12)
    ids = [candidate.id for candidate in candidates]
    assert ids != sorted(ids)
    assert {value.version for value in ids} == {4}


@pytest.mark.parametrize("wrong", ["none", "other case", "withdrawn", "landmarks", "closed"])
def test_inputs_that_do_not_fit_are_refused(engine: Engine, wrong: str) -> None:
    with session_scope(engine) as session:
        gallery, case = make_gallery(session), make_case(session)
        probe, _ = add_probe(session, new_probe(make_case(session) if "case" in wrong else case))
        other, _ = add_probe(session, new_probe(case))
        owner = other if wrong == "landmarks" else probe
        landmarks = add_landmarks(session, owner.id, POINTS, detector="fake")
        if wrong == "withdrawn":
            withdraw_probe(session, probe.id)
        if wrong == "closed":
            close_case(session, case.id)
        search = Search(
            case_id=case.id,
            gallery_id=gallery.id,
            requested_by_id=case.opened_by_id,
            purpose="",
            list_length=20,
            parameters={},
        )
        given = SearchInput(probe_id=probe.id, landmark_version_id=landmarks.id)
        with pytest.raises((Conflict, Invalid)):
            searches.request_search(session, search, [] if wrong == "none" else [given])


def test_searches_of_a_case_newest_first(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery, case = make_gallery(session), make_case(session)
        first, second = make_search(session, gallery, case), make_search(session, gallery, case)
        make_search(session, gallery)
        assert searches.list_searches(session, case.id).rows == [second, first]
