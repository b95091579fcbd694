"""Landmarks are versions that only grow, and never those of no face."""

import pytest
from sqlalchemy import Engine

from db.models import LandmarkOrigin, ProbeKind, Role
from db.session import session_scope
from forensic.cases import landmarks, probes
from forensic.errors import LandmarksError, RecordConflict
from forensic.storage import FileStore
from tests.support.factories import POINTS
from tests.support.service import WORKER, actor_of, open_case, png

MOVED = [[31.0, 40.0], [66.0, 41.0], [48.0, 60.0], [34.0, 76.0], [62.0, 76.0]]


@pytest.fixture
def sealed(records: Engine, store: FileStore):
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        probe, _ = probes.seal_probe(
            session, actor, case.id, data=png(), store=store, kind=ProbeKind.VIEWED, source="s"
        )
    return actor, probe


def test_a_correction_is_a_new_version(records: Engine, sealed) -> None:
    actor, probe = sealed
    with session_scope(records) as session:
        found = landmarks.record_found(
            session, WORKER, probe.id, POINTS, detector="mtcnn/plain", probability=0.99
        )
        placed = landmarks.place(session, actor, probe.id, MOVED, based_on=found.number)
        versions = landmarks.list_versions(session, actor, probe.id).rows
        assert [(v.number, v.origin, v.points) for v in versions] == [
            (1, LandmarkOrigin.DETECTOR, POINTS),
            (2, LandmarkOrigin.PERSON, MOVED),
        ]
        assert (placed.author_id, placed.detector) == (actor.user_id, "mtcnn/plain")
        with pytest.raises(RecordConflict, match="Someone else"):
            landmarks.place(session, actor, probe.id, POINTS, based_on=1)


def test_found_landmarks_never_replace_a_persons(records: Engine, sealed) -> None:
    actor, probe = sealed
    with session_scope(records) as session:
        placed = landmarks.place(session, actor, probe.id, MOVED, based_on=0)
        kept = landmarks.record_found(
            session, WORKER, probe.id, POINTS, detector="mtcnn/plain", probability=0.99
        )
        assert kept.id == placed.id
        assert len(landmarks.list_versions(session, actor, probe.id).rows) == 1


@pytest.mark.parametrize(
    "points",
    [
        POINTS[:4],
        [[1.0, 2.0, 3.0]] * 5,
        [["a", "b"]] * 5,
        [[float("nan"), 1.0]] * 5,
        POINTS[::-1],
        [[x + 1000, y] for x, y in POINTS],
        [[-1.0, 40.0], *POINTS[1:]],
    ],
)
def test_impossible_landmarks_are_refused(records: Engine, sealed, points) -> None:
    actor, probe = sealed
    with session_scope(records) as session, pytest.raises(LandmarksError):
        landmarks.place(session, actor, probe.id, points)
