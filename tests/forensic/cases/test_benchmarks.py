"""Benchmarks are asked for with their pairs, and hand out only what they made."""

import io

import pytest
from sqlalchemy import Engine

from db.models import JobState, ProbeKind, Role
from db.session import session_scope
from forensic.cases import benchmarks
from forensic.errors import NotPermitted, RecordNotFound, RequestRefused
from forensic.storage import FileStore
from tests.support.service import actor_of


@pytest.fixture
def asked(records: Engine, store: FileStore):
    with session_scope(records) as session:
        actor = actor_of(session, Role.EXAMINER)
        job = benchmarks.request(
            session, actor, name="CUFS", archive=io.BytesIO(b"PK"), store=store,
            kind=ProbeKind.VIEWED, methods=["none", "csi-line", "none"],
        )  # fmt: skip
    return actor, job


def test_the_request_is_kept(records: Engine, store: FileStore, asked) -> None:
    actor, job = asked
    assert job.parameters["methods"] == ["none", "csi-line"]
    assert job.parameters["kind"] == "viewed"
    assert store.read(job.parameters["archive_sha256"]) == b"PK"
    with session_scope(records) as session:
        assert [row.id for row in benchmarks.list_benchmarks(session, actor).rows] == [job.id]
        view = benchmarks.get(session, actor, job.id)
        assert (dict(view.files), dict(view.summary)) == ({}, {})


def test_results_are_handed_out_by_name(records: Engine, store: FileStore, asked) -> None:
    actor, job = asked
    with session_scope(records) as session:
        row = session.merge(job)
        row.state, row.ended_at = JobState.SUCCEEDED, row.created_at
        row.progress = {"files": {"report.html": store.put(b"<p>")}, "summary": {"probes": 3}}
        session.flush()
        assert benchmarks.get(session, actor, job.id).summary == {"probes": 3}
        given = benchmarks.file_bytes(session, actor, job.id, "report.html", store=store)
        assert given == (b"<p>", "text/html")
        for name in ("../secret", "report.pdf"):
            with pytest.raises(RecordNotFound):
                benchmarks.file_bytes(session, actor, job.id, name, store=store)


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"methods": []}, {"methods": ["magic"]}, {"embedder": "csi-line"}],
)
def test_senseless_requests_are_refused(records: Engine, store: FileStore, asked, changes) -> None:
    given = {"name": "n", "archive": io.BytesIO(b"PK"), "store": store, **changes}
    with session_scope(records) as session, pytest.raises(RequestRefused):
        benchmarks.request(session, asked[0], **given)


def test_not_everybody_measures(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        auditor = actor_of(session, Role.AUDITOR)
        with pytest.raises(NotPermitted):
            benchmarks.request(session, auditor, name="n", archive=io.BytesIO(b""), store=store)
