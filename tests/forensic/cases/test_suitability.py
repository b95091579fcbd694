"""What speaks against searching with a probe: nothing, something weak, or something that stops."""

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Case, Role
from db.queries.jobs import claim_job, end_job, list_waiting_jobs
from db.session import session_scope
from forensic.cases import landmarks, probes, retention, searches, suitability
from forensic.cases.actor import Actor
from forensic.cases.audit import Tag
from forensic.cases.suitability import Suitability
from forensic.errors import NotPermitted, RecordConflict, RecordNotFound
from forensic.storage import FileStore
from tests.support.service import actor_of, events_of, fill_gallery, open_case, png, seal

GOOD = [[86.0, 100], [114, 100], [100, 118], [88, 134], [112, 134]]


@pytest.fixture
def actor(records: Engine) -> Actor:
    with session_scope(records) as session:
        return actor_of(session, Role.INVESTIGATOR)


@pytest.fixture
def case(records: Engine, actor: Actor) -> Case:
    with session_scope(records) as session:
        return open_case(session, actor)


def placed(session: Session, actor: Actor, case: Case, store: FileStore, points, **changes):
    """Seal a large sketch of noise, and place landmarks on it."""
    probe = seal(session, actor, case, store, **{"data": png(5, 400), **changes})
    landmarks.place(session, actor, probe.id, points)
    return probe


def codes(found: Suitability) -> list[str]:
    return [finding.code for finding in found.findings]


def scaled(factor: float, *, shift: float = 0.0, turn_deg: float = 0.0) -> list[list[float]]:
    """The good points, larger, elsewhere or turned round their middle."""
    turn = np.deg2rad(turn_deg)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return ((np.array(GOOD) - 110) @ rotation * factor + 200 + shift).tolist()


def test_a_good_sketch_has_nothing_against_it(
    records: Engine, store: FileStore, actor: Actor, case: Case
) -> None:
    with session_scope(records) as session:
        probe = placed(session, actor, case, store, scaled(2))
        found = suitability.assess(session, actor, probe.id, store=store)
        assert (found.is_searchable, codes(found)) == (True, [])
        assert found.measures is not None
        assert found.measures.eye_distance_px == pytest.approx(56)
        assert found.landmarks is not None
        assert found.landmarks.number == 2
        assert "examiner's decision" in found.note
        (event,) = events_of(session, Tag.PROBE_ASSESSED)
        assert json.loads(event.payload)["details"]["findings"] == []


@pytest.mark.parametrize(
    ("points", "code"),
    [
        (scaled(1), "small_face"),
        (scaled(2, turn_deg=25), "tilted"),
        (scaled(2, shift=-140), "cut_off"),
        ([[140, 150], [260, 150], [200, 160], [195, 300], [205, 300]], "landmarks_implausible"),
    ],
)
def test_what_weakens_a_search_does_not_stop_it(
    records: Engine, store: FileStore, actor: Actor, case: Case, points, code: str
) -> None:
    with session_scope(records) as session:
        probe = placed(session, actor, case, store, points)
        found = suitability.assess(session, actor, probe.id, store=store)
        assert found.is_searchable
        assert code in codes(found)
        gallery, _ = fill_gallery(session, store)
        searches.request(
            session, actor, case.id, gallery_id=gallery.id, probe_ids=[probe.id], fusion="mean"
        )


def test_an_empty_sheet_is_told(
    records: Engine, store: FileStore, actor: Actor, case: Case
) -> None:
    buffer = io.BytesIO()
    Image.new("L", (400, 400), 250).save(buffer, "PNG")
    with session_scope(records) as session:
        probe = placed(session, actor, case, store, scaled(2), data=buffer.getvalue())
        found = suitability.assess(session, actor, probe.id, store=store)
        assert codes(found) == ["blank", "low_contrast"]
        assert not found.is_searchable


def test_what_is_mended_before_a_search_is_told(
    records: Engine, store: FileStore, actor: Actor, case: Case
) -> None:
    negative = np.zeros((400, 400), dtype=np.uint8)
    negative[100:300:4, 100:300] = 255
    buffer = io.BytesIO()
    Image.fromarray(negative).save(buffer, "PNG")
    with session_scope(records) as session:
        probe = placed(session, actor, case, store, scaled(2), data=buffer.getvalue())
        found = suitability.assess(session, actor, probe.id, store=store)
        assert (codes(found), found.is_searchable) == (["inverted"], True)
        assert "inverted before it is compared" in found.findings[0].message


def test_without_landmarks_a_search_is_refused_as_foretold(
    records: Engine, store: FileStore, actor: Actor, case: Case
) -> None:
    with session_scope(records) as session:
        probe, _ = probes.seal_probe(
            session, actor, case.id, data=png(5), store=store, kind="forensic", source="s"
        )
        found = suitability.assess(session, actor, probe.id, store=store)
        assert (codes(found), found.is_searchable) == (["landmarks_pending"], False)
        (job,) = list_waiting_jobs(session)
        claim_job(session, job.id, "w", lease=timedelta(minutes=1))
        end_job(session, job.id, "w", reason_code="no_face", detail="No face was found.")
        found = suitability.assess(session, actor, probe.id, store=store)
        assert (codes(found), found.is_searchable) == (["no_landmarks"], False)
        assert "No face was found." in found.findings[0].message
        gallery, _ = fill_gallery(session, store)
        with pytest.raises(RecordConflict, match="no landmarks"):
            searches.request(
                session, actor, case.id, gallery_id=gallery.id, probe_ids=[probe.id], fusion="mean"
            )


def test_a_damaged_file_stops_a_search(
    records: Engine, store: FileStore, actor: Actor, case: Case, tmp_path: Path
) -> None:
    with session_scope(records) as session:
        probe = placed(session, actor, case, store, scaled(2))
        sha256 = hashlib.sha256(png(5, 400)).hexdigest()
        (tmp_path / "files" / sha256[:2] / sha256[2:]).write_bytes(b"something else")
        found = suitability.assess(session, actor, probe.id, store=store)
        assert (codes(found), found.measures) == (["file_unusable"], None)
        assert not found.is_searchable


def test_withdrawn_and_expunged_probes_are_told(
    records: Engine, store: FileStore, actor: Actor, case: Case
) -> None:
    with session_scope(records) as session:
        probe = placed(session, actor, case, store, scaled(2))
        probes.withdraw(session, actor, probe.id, reason="another person")
        found = suitability.assess(session, actor, probe.id, store=store)
        assert (codes(found), found.is_searchable) == (["withdrawn"], False)
        admin = actor_of(session, Role.ADMINISTRATOR)
        retention.expunge(session, admin, case.id, reason="past retention")
        found = suitability.assess(session, actor, probe.id, store=store)
        assert (codes(found), found.measures) == (["expunged"], None)


def test_other_peoples_probes_are_not_there(
    records: Engine, store: FileStore, actor: Actor, case: Case
) -> None:
    with session_scope(records) as session:
        probe = placed(session, actor, case, store, scaled(2))
        stranger = actor_of(session, Role.INVESTIGATOR)
        with pytest.raises(RecordNotFound):
            suitability.assess(session, stranger, probe.id, store=store)
        admin = actor_of(session, Role.ADMINISTRATOR)
        with pytest.raises(NotPermitted):
            suitability.assess(session, admin, probe.id, store=store)
