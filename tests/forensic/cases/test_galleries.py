"""Galleries: who manages them, what they keep, and how a person leaves for good."""

import io
import json

import pytest
import torch
from sqlalchemy import Engine

from db.models import Role
from db.session import session_scope
from forensic.cases import galleries, subjects
from forensic.cases.audit import Tag
from forensic.embedders.registry import create_embedder
from forensic.errors import (
    InputError,
    NotPermitted,
    RangeError,
    RecordConflict,
    RecordNotFound,
    RequestRefused,
    StaleRecord,
)
from forensic.storage import FileStore
from forensic.weights.embedders import DEFAULT
from tests.support.service import actor_of, events_of, fill_gallery


@pytest.fixture
def manager(records: Engine):
    with session_scope(records) as session:
        return actor_of(session, Role.GALLERY_MANAGER)


def create(session, manager, **changes):
    given = {"name": "mugshots", "purpose": "leads", "embedder": "sketchface", **changes}
    return galleries.create_gallery(session, manager, **given)


def test_a_gallery_is_bound_to_the_weights_of_its_embedder(records: Engine, manager) -> None:
    with session_scope(records) as session:
        gallery = create(session, manager)
        (bundled,) = (c for c in galleries.embedders() if c.name == "sketchface")
        assert bundled.is_bundled
        assert (gallery.weights_sha256, gallery.dimension) == (bundled.weights_sha256, 128)
        view = galleries.get_gallery(session, manager, gallery.id)
        assert (view.photo_count, view.generation) == (0, None)
        with pytest.raises(RecordConflict, match="already"):
            create(session, manager)
        with pytest.raises(RequestRefused, match="no embedder"):
            create(session, manager, name="other", embedder="csi-line")
        with pytest.raises(InputError, match="min_face_px"):
            create(session, manager, name="other", policy={"min_face_px": 0})


def test_a_drawn_gallery_is_known_by_what_embeds_it_without_loading_it() -> None:
    (choice,) = (c for c in galleries.embedders() if c.name == DEFAULT)
    assert choice == galleries.embedders()[0]  # what forms offer first
    loaded = create_embedder(DEFAULT, device=torch.device("cpu"))
    assert choice.weights_sha256 == loaded.weights_sha256
    assert choice.dimension == loaded.dimension


def test_only_managers_change_and_see_people(records: Engine, store: FileStore, manager) -> None:
    with session_scope(records) as session:
        gallery, photo_ids = fill_gallery(session, store)
        examiner = actor_of(session, Role.EXAMINER)
        assert galleries.get_gallery(session, examiner, gallery.id).photo_count == 3
        asks = [
            lambda: create(session, examiner),
            lambda: subjects.list_subjects(session, examiner, gallery.id),
            lambda: subjects.photo_bytes(session, examiner, photo_ids[0], store=store),
            lambda: galleries.request_index(session, examiner, gallery.id),
            lambda: galleries.request_import(
                session, examiner, gallery.id, archive=io.BytesIO(b"x"), store=store
            ),
        ]
        for ask in asks:
            with pytest.raises(NotPermitted):
                ask()


def test_an_upload_is_kept_and_becomes_a_job(records: Engine, store: FileStore, manager) -> None:
    with session_scope(records) as session:
        gallery = create(session, manager)
        job = galleries.request_import(
            session, manager, gallery.id, archive=io.BytesIO(b"PK"), store=store,
            subject_from="folder",
        )  # fmt: skip
        source = job.parameters["source"]
        assert store.read(source["sha256"]) == b"PK"
        assert (source["kind"], source["subject_from"]) == ("zip", "folder")
        assert (job.kind, job.gallery_id) == ("import", gallery.id)
        with pytest.raises(RangeError):
            galleries.request_import(
                session, manager, gallery.id, archive=io.BytesIO(b"too long"), store=store,
                max_bytes=3,
            )  # fmt: skip


def test_a_stale_edit_is_refused(records: Engine, manager) -> None:
    with session_scope(records) as session:
        gallery = create(session, manager)
        seen = gallery.version
        galleries.update_gallery(
            session, manager, gallery.id, expected_version=seen, policy={"min_face_px": 60}
        )
        assert gallery.policy["min_face_px"] == 60
        with pytest.raises(StaleRecord):
            galleries.update_gallery(
                session, manager, gallery.id, expected_version=seen, purpose="x"
            )


def test_metadata_are_the_operators(records: Engine, store: FileStore, manager) -> None:
    with session_scope(records) as session:
        gallery, _ = fill_gallery(session, store)
        subject = subjects.list_subjects(session, manager, gallery.id).rows[0]
        subjects.update_subject(
            session, manager, subject.id, sex="f", birth_year=1980, attributes={"hair": " red "}
        )
        view = subjects.get_subject(session, manager, subject.id)
        assert (view.subject.sex, view.subject.birth_year) == ("f", 1980)
        assert view.subject.attributes == {"hair": "red"}
        with pytest.raises(RequestRefused, match="birth"):
            subjects.update_subject(
                session, manager, subject.id, sex=None, birth_year=3000, attributes={}
            )


def test_an_expunged_person_is_gone_and_the_rest_is_a_job(
    records: Engine, store: FileStore, manager
) -> None:
    with session_scope(records) as session:
        gallery, _ = fill_gallery(session, store)
        subject = subjects.list_subjects(session, manager, gallery.id).rows[0]
        photo = subjects.get_subject(session, manager, subject.id).photos[0]
        assert subjects.photo_bytes(session, manager, photo.id, store=store)[1] == "image/png"
        job = subjects.expunge_subject(session, manager, subject.id, reason="acquitted")
        assert job.parameters["expunged_subject_id"] == str(subject.id)
        left = subjects.list_subjects(session, manager, gallery.id).rows
        assert subject.id not in {row.id for row in left}
        with pytest.raises(RecordNotFound):
            subjects.photo_bytes(session, manager, photo.id, store=store)
        details = json.loads(events_of(session, Tag.SUBJECT_EXPUNGED)[0].payload)["details"]
        assert photo.sha256 in details["files"]
        assert details["reason"] == "acquitted"
