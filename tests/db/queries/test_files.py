"""A file that several records name goes with the last of them, and not before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.queries.cases import expunge_case
from db.queries.files import free_files, held_files, hold_files
from db.queries.jobs import cancel_job, create_job
from db.queries.photos import add_photos, remove_photos
from db.queries.probes import add_probe
from db.queries.subjects import expunge_subject, find_subject
from db.session import session_scope
from tests.support.factories import make_case, make_gallery, new_photo, new_probe, sha256

A_MOMENT_S = 0.5
"""Long enough for what is not held back to be done."""
PATIENCE_S = 60


def beside(engine: Engine, act: Callable[[Session], Any]) -> tuple[threading.Thread, list[Any]]:
    """Do something in a transaction of its own, beside the one that is open."""
    answers: list[Any] = []

    def run() -> None:
        with session_scope(engine) as session:
            answers.append(act(session))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(A_MOMENT_S)
    return thread, answers


def expunge(session: Session, gallery_id: Any, external_id: str) -> frozenset[str]:
    found = find_subject(session, gallery_id, external_id)
    assert found is not None
    return expunge_subject(session, found.id).file_sha256s


def test_a_file_is_held_by_photos_crops_and_sketches(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery, other, case = make_gallery(session), make_gallery(session), make_case(session)
        for one in (gallery, other):
            added = add_photos(session, one.id, [new_photo("ann", "a")])
        add_probe(session, new_probe(case, file="crop of a"))
        files = frozenset({sha256("a"), sha256("crop of a"), sha256("unknown")})
        assert free_files(session, files) == {sha256("unknown")}
        photo_id = added[0].photo_id
        assert photo_id is not None
        remove_photos(session, other.id, [photo_id])
        assert held_files(session, files) == files - {sha256("unknown")}
        assert expunge(session, gallery.id, "ann") == {sha256("a")}  # the crop is a sketch as well
        assert expunge_case(session, case.id) == {sha256("crop of a")}


def test_a_job_holds_its_files_until_it_has_ended(engine: Engine) -> None:
    archive = sha256("archive")
    with session_scope(engine) as session:
        told = {"source": {"kind": "zip", "sha256": archive}}
        job = create_job(session, kind="import", parameters=told)
        assert free_files(session, [archive]) == frozenset()
        cancel_job(session, job.id)
        assert free_files(session, [archive]) == {archive}


def test_of_two_expungings_at_once_the_second_frees_the_shared_file(engine: Engine) -> None:
    with session_scope(engine) as session:
        one, two = make_gallery(session).id, make_gallery(session).id
        add_photos(session, one, [new_photo("ann", "a")])
        add_photos(session, two, [new_photo("bea", "a")])
    with session_scope(engine) as session:
        assert expunge(session, one, "ann") == frozenset()  # bea's photo still
        thread, answers = beside(engine, lambda session: expunge(session, two, "bea"))
        assert not answers, "the second did not wait to see what the first gives up"
    thread.join(PATIENCE_S)
    assert answers == [{sha256("a"), sha256("crop of a")}]


def test_of_two_cases_expunged_at_once_the_second_frees_the_shared_sketch(engine: Engine) -> None:
    with session_scope(engine) as session:
        one, two = make_case(session), make_case(session)
        for case in (one, two):
            add_probe(session, new_probe(case, file="sketch"))
    with session_scope(engine) as session:
        assert expunge_case(session, one.id) == frozenset()
        thread, answers = beside(engine, lambda session: expunge_case(session, two.id))
        assert not answers
    thread.join(PATIENCE_S)
    assert answers == [{sha256("sketch")}]


def test_who_adds_a_file_waits_for_its_deletion(engine: Engine) -> None:
    with session_scope(engine) as session:
        gallery_id = make_gallery(session).id
    with session_scope(engine) as session:
        assert free_files(session, [sha256("a")])
        photos = [new_photo("ann", "a")]
        thread, answers = beside(engine, lambda session: add_photos(session, gallery_id, photos))
        assert not answers
    thread.join(PATIENCE_S)
    assert len(answers) == 1


def test_those_who_add_files_do_not_wait_for_each_other(engine: Engine, backend: str) -> None:
    if backend == "sqlite":
        return  # its writers take turns whatever they write
    with session_scope(engine) as session:
        hold_files(session)
        thread, answers = beside(engine, lambda session: hold_files(session) or "done")
        thread.join(PATIENCE_S)
        assert answers == ["done"]
