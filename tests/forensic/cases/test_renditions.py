"""Machine-made faces: asked for as jobs, kept once, and labelled wherever they are seen."""

import numpy as np
import pytest
from sqlalchemy import Engine

from db.models import Role
from db.session import session_scope
from forensic.cases import landmarks, probes, renditions
from forensic.cases.audit import Tag
from forensic.errors import NotPermitted, RecordConflict, RecordNotFound, RequestRefused
from forensic.images.io import decode_image, encode_image
from forensic.images.label import label_machine_made
from forensic.storage import FileStore
from tests.support.factories import new_rendition
from tests.support.service import WORKER, actor_of, events_of, open_case, png, seal


@pytest.fixture
def sealed(records: Engine, store: FileStore):
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        probe = seal(session, actor, open_case(session, actor), store)
    return actor, probe


def test_the_bundled_generators_are_offered() -> None:
    assert {"csi-color", "csi-grayscale", "csi-line"} <= set(renditions.generator_names())
    assert "sketchface" not in renditions.generator_names()


def test_a_request_names_landmarks_generators_and_seed(records: Engine, sealed) -> None:
    actor, probe = sealed
    with session_scope(records) as session:
        job = renditions.request(
            session, actor, probe.id, generators=["csi-line", "csi-line"], seed=7
        )
        version = landmarks.current(session, probe)
        assert job.kind == "renditions"
        assert job.case_id == probe.case_id
        assert job.parameters["generators"] == ["csi-line"]
        assert job.parameters["seed"] == 7
        assert job.parameters["landmark_version_id"] == str(version.id)


@pytest.mark.parametrize(
    "changes", [{"generators": []}, {"generators": ["sketchface"]}, {"seed": -1}, {"seed": 2**63}]
)
def test_a_senseless_request_is_refused(records: Engine, sealed, changes) -> None:
    actor, probe = sealed
    with session_scope(records) as session, pytest.raises(RequestRefused):
        renditions.request(session, actor, probe.id, **{"generators": ["csi-line"], **changes})


def test_a_withdrawn_probe_is_not_rendered(records: Engine, sealed) -> None:
    actor, probe = sealed
    with session_scope(records) as session:
        probes.withdraw(session, actor, probe.id, reason="r")
        with pytest.raises(RecordConflict, match="withdrawn"):
            renditions.request(session, actor, probe.id, generators=["csi-line"])


def test_the_same_face_is_kept_once(records: Engine, sealed) -> None:
    _, probe = sealed
    with session_scope(records) as session:
        first = renditions.record_made(session, WORKER, new_rendition(session, probe))
        again = renditions.record_made(session, WORKER, new_rendition(session, probe))
        other = renditions.record_made(session, WORKER, new_rendition(session, probe, seed=1))
        assert again.id == first.id
        assert other.id != first.id
        assert len(events_of(session, Tag.RENDITION_MADE)) == 2


def test_people_record_no_renditions(records: Engine, sealed) -> None:
    actor, probe = sealed
    with session_scope(records) as session, pytest.raises(NotPermitted):
        renditions.record_made(session, actor, new_rendition(session, probe))


def test_what_is_shown_carries_the_label_in_its_pixels(
    records: Engine, sealed, store: FileStore
) -> None:
    actor, probe = sealed
    face = decode_image(png(9))
    with session_scope(records) as session:
        key = store.put(encode_image(face))
        made = renditions.record_made(
            session, WORKER, new_rendition(session, probe, output_sha256=key)
        )
        shown = decode_image(renditions.image_bytes(session, actor, made.id, store=store))
        np.testing.assert_array_equal(shown, label_machine_made(face))
        assert shown.shape[0] > 2 * face.shape[0]
        assert len(events_of(session, Tag.RENDITION_VIEWED)) == 1
        with pytest.raises(RecordNotFound):
            renditions.image_bytes(
                session, actor_of(session, Role.INVESTIGATOR), made.id, store=store
            )
