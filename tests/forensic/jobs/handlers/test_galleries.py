"""An uploaded archive becomes a searchable gallery; an expunged person leaves it and the disk."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.models import Gallery, JobState, Role
from db.queries.galleries import create_gallery
from db.queries.subjects import find_subject
from db.session import session_scope
from forensic.cases import galleries, subjects
from forensic.cases.audit import Tag
from forensic.identification.enrol import embed_faces
from forensic.images.io import encode_image
from forensic.jobs.galleries import searching
from forensic.storage import FileStore
from tests.support.fakes import FakeEmbedder
from tests.support.images import face_landmarks, face_photo
from tests.support.service import actor_of, events_of
from tests.support.workshop import do, make_workshop


@pytest.fixture
def shop(records: Engine, store: FileStore, tmp_path: Path):
    return make_workshop(records, store, tmp_path / "galleries")


@pytest.fixture
def imported(shop):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as pictures:
        for seed in range(3):
            pictures.writestr(f"phantom {seed}.png", encode_image(face_photo(seed)))
        pictures.writestr("broken.png", b"no picture")
    archive.seek(0)
    fake = FakeEmbedder()
    with session_scope(shop.engine) as session:
        manager = actor_of(session, Role.GALLERY_MANAGER)
        gallery = create_gallery(
            session, name="g", embedder=fake.name, weights_sha256=fake.weights_sha256,
            dimension=fake.dimension, policy={"min_sharpness": 0},
        )  # fmt: skip
        job = galleries.request_import(
            session, manager, gallery.id, archive=archive, store=shop.store
        )
    return manager, gallery, do(shop, job.id)


def names_found(shop, gallery: Gallery, seed: int) -> list[str]:
    query = embed_faces(FakeEmbedder(), [face_photo(seed)], [face_landmarks(seed)])
    found = shop.searcher.search(gallery.id, query, 5, weights_sha256=gallery.weights_sha256)
    return [hit.external_id for hit in found.lists[0]]


def test_an_import_tells_each_item_and_can_be_searched(shop, imported) -> None:
    _, gallery, job = imported
    assert job.state is JobState.SUCCEEDED
    assert job.counts == {"indexed": 3, "rejected": 1}
    assert set(names_found(shop, gallery, 1)) == {"phantom 0", "phantom 1", "phantom 2"}
    assert not shop.store.exists(job.parameters["source"]["sha256"])


def test_a_worker_that_publishes_has_the_gallery_open_before_the_next_search(
    shop, imported, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, gallery, _ = imported

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the search had to open the generation")

    with monkeypatch.context() as patched:
        patched.setattr(searching, "open_generation", refuse)
        assert len(names_found(shop, gallery, 0)) == 3  # opened by the import
    with session_scope(shop.engine) as session:
        subject = find_subject(session, gallery.id, "phantom 2")
        assert subject is not None
        job = subjects.expunge_subject(session, imported[0], subject.id, reason="acquitted")
    assert do(shop, job.id).state is JobState.SUCCEEDED
    monkeypatch.setattr(searching, "open_generation", refuse)
    assert set(names_found(shop, gallery, 0)) == {"phantom 0", "phantom 1"}


def test_an_archive_of_a_failed_import_goes_with_whoever_is_expunged(shop, imported) -> None:
    manager, gallery, _ = imported
    with session_scope(shop.engine) as session:
        failed, waiting = (
            galleries.request_import(
                session, manager, gallery.id, archive=io.BytesIO(content), store=shop.store
            )
            for content in (b"no archive", b"nor this")
        )
    assert do(shop, failed.id).state is JobState.FAILED
    archives = [job.parameters["source"]["sha256"] for job in (failed, waiting)]
    assert [shop.store.exists(sha256) for sha256 in archives] == [True, True]
    with session_scope(shop.engine) as session:
        subject = find_subject(session, gallery.id, "phantom 1")
        assert subject is not None
        job = subjects.expunge_subject(session, manager, subject.id, reason="acquitted")
    assert do(shop, job.id).state is JobState.SUCCEEDED
    assert [shop.store.exists(sha256) for sha256 in archives] == [False, True]


def test_an_expunged_person_leaves_search_files_and_index(shop, imported) -> None:
    manager, gallery, _ = imported
    with session_scope(shop.engine) as session:
        subject = find_subject(session, gallery.id, "phantom 1")
        assert subject is not None
        sha256 = subjects.get_subject(session, manager, subject.id).photos[0].sha256
        job = subjects.expunge_subject(session, manager, subject.id, reason="acquitted")
    assert shop.store.exists(sha256)
    assert "phantom 1" not in names_found(shop, gallery, 1)
    assert do(shop, job.id).state is JobState.SUCCEEDED
    assert not shop.store.exists(sha256)
    assert set(names_found(shop, gallery, 1)) == {"phantom 0", "phantom 2"}
    with session_scope(shop.engine) as session:
        told = [json.loads(e.payload)["details"] for e in events_of(session, Tag.SUBJECT_EXPUNGED)]
        (proof,) = [details for details in told if details.get("step") == "proof"]
        assert sha256 in proof["deleted_files"]
        assert (proof["files_left"], proof["embeddings_left"], proof["log_is_clear"]) == (
            [],
            0,
            True,
        )
        view = galleries.get_gallery(session, manager, gallery.id)
        assert view.generation is not None
        assert view.generation.photo_count == 2
