"""A sketch is sealed as it was received, and seen by its case alone."""

import hashlib
import json
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from db.models import Job, ProbeKind, Role
from db.queries.jobs import list_waiting_jobs
from db.session import session_scope
from forensic.cases import landmarks, probes
from forensic.cases.audit import Tag
from forensic.errors import (
    ImageError,
    NotPermitted,
    RecordNotFound,
    RequestRefused,
)
from forensic.storage import FileStore
from tests.support.service import actor_of, events_of, open_case, png

MOVED = [[31.0, 40.0], [66.0, 41.0], [48.0, 60.0], [34.0, 76.0], [62.0, 76.0]]


def test_the_file_is_kept_as_it_came_and_sealed(records: Engine, store: FileStore) -> None:
    data = png(3, 64)
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        probe, is_new = probes.seal_probe(
            session, actor, case.id, data=data, store=store, kind=ProbeKind.COMPOSITE,
            source="interview 3", artist="R. Artist", interviewed_on=date(2026, 1, 2),
        )  # fmt: skip
        assert is_new
        assert probe.sketch_sha256 == hashlib.sha256(data).hexdigest()
        assert (probe.width_px, probe.height_px, probe.size_bytes) == (64, 64, len(data))
        assert probes.sketch_bytes(session, actor, probe.id, store=store) == (data, "image/png")
        (job,) = list_waiting_jobs(session)
        assert (job.kind, job.parameters["probe_id"]) == ("landmarks", str(probe.id))
        details = json.loads(events_of(session, Tag.PROBE_SEALED)[0].payload)["details"]
        assert details["sha256"] == probe.sketch_sha256
        assert len(events_of(session, Tag.SKETCH_VIEWED)) == 1


def test_the_same_file_is_one_probe(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        given = {"data": png(), "store": store, "kind": ProbeKind.VIEWED, "source": "s"}
        first, _ = probes.seal_probe(session, actor, case.id, **given)
        again, is_new = probes.seal_probe(session, actor, case.id, **given)
        assert (again.id, is_new) == (first.id, False)
        assert len(list_waiting_jobs(session)) == 1


@pytest.mark.parametrize("data", [b"", b"not an image", png()[:200], b"GIF89a" + bytes(100)])
def test_what_is_no_image_is_refused_and_not_kept(
    records: Engine, store: FileStore, data: bytes
) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        with pytest.raises(ImageError):
            probes.seal_probe(
                session, actor, case.id, data=data, store=store, kind=ProbeKind.VIEWED, source="s"
            )
        assert not store.exists(hashlib.sha256(data).hexdigest())


def test_provenance_must_make_sense(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        given = {"data": png(), "store": store, "kind": ProbeKind.VIEWED}
        tomorrow = date.today() + timedelta(days=2)
        with pytest.raises(RequestRefused, match="future"):
            probes.seal_probe(session, actor, case.id, source="s", interviewed_on=tomorrow, **given)
        with pytest.raises(RequestRefused, match="Source must be given"):
            probes.seal_probe(session, actor, case.id, source=" ", **given)


@pytest.fixture
def sealed(records: Engine, store: FileStore):
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        probe, _ = probes.seal_probe(
            session, actor, case.id, data=png(), store=store, kind=ProbeKind.VIEWED, source="s"
        )
    return actor, probe


def test_probes_of_other_cases_do_not_exist(records: Engine, sealed, store: FileStore) -> None:
    _, probe = sealed
    with session_scope(records) as session:
        other = actor_of(session, Role.INVESTIGATOR, Role.EXAMINER)
        asks = [
            lambda: probes.get_probe(session, other, probe.id),
            lambda: probes.sketch_bytes(session, other, probe.id, store=store),
            lambda: landmarks.place(session, other, probe.id, MOVED),
            lambda: landmarks.list_versions(session, other, probe.id),
            lambda: probes.withdraw(session, other, probe.id, reason="r"),
        ]
        for ask in asks:
            with pytest.raises(RecordNotFound) as refused:
                ask()
            assert str(refused.value) == f"There is no probe {str(probe.id)!r}."


def test_an_examiner_does_not_seal(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        case = open_case(session, actor_of(session, Role.INVESTIGATOR))
        with pytest.raises(NotPermitted, match="seal a probe"):
            probes.seal_probe(
                session, actor_of(session, Role.EXAMINER), case.id, data=png(), store=store,
                kind=ProbeKind.VIEWED, source="s",
            )  # fmt: skip
        assert session.query(Job).count() == 0
