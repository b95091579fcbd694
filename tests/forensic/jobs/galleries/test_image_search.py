"""Searching with image files: each photo of a gallery finds itself, and the audit knows."""

from __future__ import annotations

import pytest

from db.models import Gallery
from db.queries.photos import add_photos, remove_photos
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases.actor import command_actor
from forensic.cases.audit import Tag
from forensic.files import sha256_of_bytes
from forensic.jobs.galleries.image_search import Question, search_images
from forensic.jobs.galleries.probing import images_of, probe_photos
from forensic.jobs.galleries.projection import publish
from forensic.jobs.galleries.searching import GallerySearcher
from tests.support.factories import new_photo
from tests.support.imports import HashEmbedder, make_gallery
from tests.support.service import events_of
from tests.support.words import WordExaminer


@pytest.fixture
def photos(tmp_path):
    """Files that say what they show: 40 faces and a picture without one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(40):
        (folder / f"{i:02}.png").write_bytes(f"face {i}".encode())
    (folder / "wall.png").write_bytes(b"no_face")
    return folder


@pytest.fixture
def gallery(engine, tmp_path, photos):
    gallery_id = make_gallery(engine)
    files = images_of([photos])
    (first, second) = probe_photos(files, embedder=HashEmbedder(), examiner=WordExaminer())
    made = [
        new_photo(p.path.stem, "", sha256=p.sha256, vector=p.vector.astype("<f4").tobytes())
        for p in [*first, *second]
        if p.vector is not None
    ]
    with session_scope(engine) as session:
        add_photos(session, gallery_id, made)
    publish(engine, tmp_path / "indexes", gallery_id)
    with session_scope(engine, read_only=True) as session:
        return get_row(session, Gallery, gallery_id)


def ask(engine, tmp_path, gallery, paths, question):
    probes = probe_photos(images_of(paths), embedder=HashEmbedder(), examiner=WordExaminer())
    searcher = GallerySearcher(engine, tmp_path / "indexes")
    return list(search_images(engine, searcher, gallery, probes, question, actor=command_actor()))


def test_every_photo_of_a_gallery_finds_itself_first(engine, tmp_path, gallery, photos):
    batches = ask(engine, tmp_path, gallery, [photos], Question(k=3))
    answers = [answer for batch, _ in batches for answer in batch]
    assert len(answers) == 41
    for answer in answers[:40]:
        assert answer.is_own
        assert answer.finds_itself
        assert answer.hits[0].external_id == answer.probe.path.stem
        assert answer.hits[0].similarity == pytest.approx(1)
    assert answers[40].hits is None
    assert answers[40].probe.refusal.reason == "no_face"
    assert not answers[40].finds_itself


def test_a_stranger_is_not_taken_for_a_photo_of_the_gallery(engine, tmp_path, gallery, photos):
    stranger = tmp_path / "stranger.png"
    stranger.write_bytes(b"face 1000")
    with session_scope(engine) as session:
        gone = search_for(engine, tmp_path, gallery, photos / "00.png").photo_id
        remove_photos(session, gallery.id, [gone])
    ((answers, _),) = ask(
        engine, tmp_path, gallery, [stranger, photos / "00.png", photos / "01.png"], Question(k=1)
    )
    assert [answer.is_own for answer in answers] == [False, False, True]
    assert [answer.finds_itself for answer in answers] == [False, False, True]


def search_for(engine, tmp_path, gallery, path):
    ((answers, _),) = ask(engine, tmp_path, gallery, [path], Question(k=1))
    return answers[0].hits[0]


def test_every_search_is_in_the_audit(engine, tmp_path, gallery, photos):
    ask(engine, tmp_path, gallery, [photos / "00.png"], Question(k=7, purpose="training"))
    with session_scope(engine, read_only=True) as session:
        (event,) = events_of(session, Tag.GALLERY_SEARCHED)
    assert sha256_of_bytes(b"face 0") in event.payload
    assert '"purpose":"training"' in event.payload.replace(": ", ":")
    assert event.actor == "command"


def test_files_that_cannot_be_read_are_refused_one_by_one(engine, tmp_path, gallery, photos):
    ((answers, found),) = ask(
        engine, tmp_path, gallery, [tmp_path / "missing.png", photos / "05.png"], Question(k=1)
    )
    assert answers[0].probe.refusal.reason == "unreadable"
    assert answers[1].finds_itself
    assert found.gallery_size == 40


def test_a_batch_without_a_face_searches_nothing(engine, tmp_path, gallery, photos):
    ((answers, found),) = ask(engine, tmp_path, gallery, [photos / "wall.png"], Question(k=1))
    assert found is None
    assert answers[0].hits is None
