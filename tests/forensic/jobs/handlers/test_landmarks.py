"""Landmarks of a sealed sketch: found, or left to a person with a reason."""

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from db.models import JobState, ProbeKind, Role
from db.queries.jobs import list_waiting_jobs
from db.queries.probes import find_landmarks
from db.session import session_scope
from forensic.cases import landmarks, probes
from forensic.cases.audit import Tag
from forensic.images.io import encode_image
from forensic.storage import FileStore
from tests.support.images import face_landmarks, face_photo, face_sketch
from tests.support.service import actor_of, events_of, open_case
from tests.support.workshop import do, make_workshop


@pytest.fixture
def shop(records: Engine, store: FileStore, tmp_path: Path):
    return make_workshop(records, store, tmp_path / "galleries")


def sealed(shop, picture: np.ndarray):
    with session_scope(shop.engine) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        probe, _ = probes.seal_probe(
            session, actor, case.id, data=encode_image(picture), store=shop.store,
            kind=ProbeKind.VIEWED, source="drawn",
        )  # fmt: skip
        (job,) = list_waiting_jobs(session)
    return actor, probe, job


def test_they_are_found_and_told_in_the_audit(shop) -> None:
    _, probe, job = sealed(shop, face_photo(1))
    assert do(shop, job.id).state is JobState.SUCCEEDED
    with session_scope(shop.engine) as session:
        version = find_landmarks(session, probe.id)
        assert version is not None
        assert version.detector is not None
        np.testing.assert_allclose(version.points, face_landmarks(1), atol=8)
        details = json.loads(events_of(session, Tag.LANDMARKS_FOUND)[0].payload)["details"]
        assert details["detector"] == version.detector


def test_white_lines_on_black_are_read_as_black_on_white(shop) -> None:
    _, probe, job = sealed(shop, 255 - face_sketch(1))
    assert do(shop, job.id).state is JobState.SUCCEEDED
    with session_scope(shop.engine) as session:
        version = find_landmarks(session, probe.id)
        assert version is not None
        np.testing.assert_allclose(version.points, face_landmarks(1), atol=8)


def test_a_blank_sheet_is_named(shop) -> None:
    _, _, job = sealed(shop, np.full((120, 120, 3), 255, dtype=np.uint8))
    ended = do(shop, job.id)
    assert (ended.state, ended.reason_code) == (JobState.FAILED, "blank")


def test_a_sheet_without_a_face_is_left_to_a_person(shop) -> None:
    sheet = np.full((120, 120, 3), 255, dtype=np.uint8)
    sheet[50:70, 50:70] = 0
    actor, probe, job = sealed(shop, sheet)
    ended = do(shop, job.id)
    assert (ended.state, ended.reason_code) == (JobState.FAILED, "no_face")
    with session_scope(shop.engine) as session:
        assert find_landmarks(session, probe.id) is None
        points = [[40, 40], [80, 40], [60, 60], [45, 85], [75, 85]]
        placed = landmarks.place(session, actor, probe.id, points, based_on=0)
        assert placed.number == 1
