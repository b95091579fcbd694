"""Every operation of the API, for everybody who may not, and once for someone who may.

`OPERATIONS` is compared with the API's own description, so that no operation is without its row.
"""

from __future__ import annotations

import io
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from db.models import Photo, Rendition, ReportFormat, Role
from db.queries.cases import add_report, assign
from db.queries.jobs import create_job
from db.queries.probes import add_rendition, find_landmarks
from forensic.cases import leads, lifecycle, renditions, reviews
from tests.support.factories import sha256
from tests.support.service import completed_search, fill_gallery, png, seal
from tests.support.web import Site, actor_for, settings_of

I, E, M, U, A = (  # noqa: E741 - five roles, one letter each, for the table below
    Role.INVESTIGATOR,
    Role.EXAMINER,
    Role.GALLERY_MANAGER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
ALL = frozenset(Role)
READERS = frozenset({I, E, U})
REASON = {"reason": "because"}
CASE = {"number": "new", "offence": "theft", "legal_basis": "order", "purpose": "leads"}
POINTS = [[30, 40], [66, 40], [48, 60], [34, 76], [62, 76]]


@dataclass(frozen=True)
class Operation:
    """One row: who may, what to send, and what comes of it."""

    method: str
    path: str
    roles: frozenset[Role]
    status: int = 200
    body: dict[str, Any] | None = None
    form: dict[str, Any] | None = None
    query: dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    by_session: bool = False
    """Whether an API key is not enough."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def row(method: str, path: str, *roles: Role, **rest: Any) -> Operation:
    return Operation(method, path, frozenset(roles), **rest)


GALLERY = {"name": "new", "purpose": "tests", "embedder": "sketchface"}


def archive() -> bytes:
    """A ZIP with one photo."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as photos:
        photos.writestr("dora.png", png(9))
    return buffer.getvalue()


ETAG = {"If-Match": '"1"'}
NEW_USER = {"name": "newcomer", "full_name": "New Comer", "roles": ["examiner"]}
OPERATIONS = [
    row("GET", "/session", *ALL),
    row("DELETE", "/session", *ALL, status=204),
    row("POST", "/session/password", *ALL, status=401, body={"old": "x", "new": "y"}),
    row("GET", "/roles", *ALL),
    row("GET", "/users", I, U, A),
    row("POST", "/users", A, status=201, body=NEW_USER),
    row("GET", "/users/{user_id}", I, U, A),
    row("PATCH", "/users/{user_id}", A, body={"full_name": "Some One"}, headers=ETAG),
    row("POST", "/users/{user_id}/password-reset", A),
    row("GET", "/api-keys", *ALL),
    row("POST", "/api-keys", *ALL, status=422, body={"label": "x", "scopes": []}, by_session=True),
    row("DELETE", "/api-keys/{key_id}", *ALL, status=404, by_session=True),
    row("GET", "/cases", *READERS),
    row("POST", "/cases", I, status=201, body=CASE),
    row("GET", "/cases/due", A),
    row("GET", "/cases/{case_id}", *READERS),
    row("PATCH", "/cases/{case_id}", I, body={"offence": "arson"}, headers=ETAG),
    row("POST", "/cases/{case_id}/close", I, body=REASON),
    row("POST", "/cases/{case_id}/reopen", I, body=REASON),
    row("PUT", "/cases/{case_id}/legal-hold", I, A, body=REASON),
    row("DELETE", "/cases/{case_id}/legal-hold", I, A),
    row("POST", "/cases/{case_id}/expunge", A, status=202, body=REASON),
    row("GET", "/cases/{case_id}/members", *READERS),
    row("PUT", "/cases/{case_id}/members/{examiner_id}", I, status=204),
    row("DELETE", "/cases/{case_id}/members/{examiner_id}", I, status=204),
    row("GET", "/cases/{case_id}/timeline", *READERS),
    row("GET", "/cases/{case_id}/jobs", *READERS),
    row("GET", "/cases/{case_id}/probes", *READERS),
    row(
        "POST",
        "/cases/{case_id}/probes",
        I,
        status=201,
        form={"kind": "forensic", "source": "interview", "sketch": png(77)},
    ),
    row("GET", "/probes/{probe_id}", *READERS),
    row("GET", "/probes/{probe_id}/image", *READERS),
    row("GET", "/probes/{probe_id}/quality", *READERS),
    row("POST", "/probes/{probe_id}/withdraw", I, body=REASON),
    row("GET", "/probes/{probe_id}/landmarks", *READERS),
    row("PATCH", "/probes/{probe_id}/landmarks", I, E, body={"points": POINTS}),
    row("GET", "/probes/{probe_id}/renditions", *READERS),
    row(
        "POST",
        "/probes/{probe_id}/renditions",
        I,
        E,
        status=202,
        body={"generators": [renditions.generator_names()[0]]},
    ),
    row("GET", "/renditions/{rendition_id}", *READERS),
    row("GET", "/renditions/{rendition_id}/image", *READERS),
    row("GET", "/cases/{case_id}/searches", *READERS),
    row(
        "POST",
        "/cases/{case_id}/searches",
        I,
        E,
        status=202,
        body={"gallery_id": "{gallery_id}", "probe_ids": ["{probe_id}"], "fusion": "mean"},
    ),
    row("GET", "/searches/{search_id}", *READERS),
    row("GET", "/searches/{search_id}/candidates", *READERS),
    row("GET", "/candidates/{candidate_id}/photo", *READERS),
    row(
        "POST",
        "/candidates/{candidate_id}/reviews",
        E,
        status=201,
        body={"verdict": "inconclusive"},
    ),
    row("GET", "/searches/{search_id}/reviews", E),
    row("GET", "/searches/{search_id}/progress", E),
    row("GET", "/searches/{search_id}/conclusions", I, U),
    row("GET", "/searches/{search_id}/disagreements", *READERS),
    row(
        "POST",
        "/candidates/{candidate_id}/adjudications",
        E,
        status=409,
        body={"verdict": "inconclusive", "reason": "x"},
    ),
    row("GET", "/cases/{case_id}/reports", *READERS),
    row("POST", "/cases/{case_id}/reports", I, status=202, body={"formats": ["pdf"]}),
    row("GET", "/reports/{report_id}", *READERS),
    row("GET", "/reports/{report_id}/file", I, U),
    row("GET", "/jobs/{job_id}", *READERS),
    row("DELETE", "/jobs/{job_id}", I, E),
    row("GET", "/jobs/{job_id}/items", *READERS),
    row("GET", "/galleries", *READERS, M),
    row("POST", "/galleries", M, status=201, body=GALLERY),
    row("GET", "/galleries/{gallery_id}", *READERS, M),
    row("PATCH", "/galleries/{gallery_id}", M, body={"purpose": "tests"}, headers=ETAG),
    row(
        "POST",
        "/galleries/{gallery_id}/imports",
        M,
        status=202,
        form={"subject_from": "file", "archive": archive()},
    ),
    row("POST", "/galleries/{gallery_id}/indexes", M, status=202),
    row("GET", "/galleries/{gallery_id}/indexes", *READERS, M),
    row("GET", "/galleries/{gallery_id}/jobs", M, U),
    row("GET", "/galleries/{gallery_id}/subjects", M, U),
    row("GET", "/subjects/{subject_id}", M, U),
    row("PUT", "/subjects/{subject_id}", M, body={"sex": "female", "birth_year": 1980}),
    row("POST", "/subjects/{subject_id}/expunge", M, status=202, body=REASON),
    row("GET", "/photos/{photo_id}/image", M, U),
    row("GET", "/benchmarks", *ALL),
    row(
        "POST",
        "/benchmarks",
        M,
        E,
        status=202,
        form={"name": "pairs", "archive": archive()},
    ),
    row("GET", "/benchmarks/{benchmark_id}", *ALL),
    row("GET", "/benchmarks/{benchmark_id}/files/none.pdf", *ALL, status=404),
    row("GET", "/audit", U),
    row("GET", "/audit/verify", U, A),
    row("GET", "/usage", U, query={"first_on": "2026-01-01", "last_on": "2026-12-31"}),
    row("GET", "/models", *ALL),
    row("GET", "/models/{model}", *ALL),
    row("GET", "/system", *ALL),
]
PUBLIC = {"POST /session"}


@dataclass(frozen=True)
class World:
    """A case in which much has happened, and one person of each role who may see it."""

    site: Site
    clients: dict[Role, FlaskClient]
    ids: dict[str, str]


@dataclass(frozen=True)
class Past:
    """What has happened before each test, as files to copy."""

    folder: Path
    headers: dict[Role, str]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def past(application: Flask, migrated_sqlite: Path, tmp_path_factory: Any) -> Past:
    folder = tmp_path_factory.mktemp("past")
    shutil.copy(migrated_sqlite, folder / "service.db")
    site = Site(settings_of(folder), application)
    people = {role: site.add_person(role.value, role) for role in Role}
    investigator = actor_for(people[I], I)
    with site.session() as session:
        case = lifecycle.open_case(session, investigator, **{**CASE, "number": "1"})
        for role in (E, M, A):
            assign(session, case.id, people[role].id, assigned_by_id=people[I].id)
        probe = seal(session, investigator, case, site.store)
        search = completed_search(session, investigator, case, site.store)
        gallery, photo_ids = fill_gallery(session, site.store)
        subject_id = session.get_one(Photo, photo_ids[0]).subject_id
        candidates = leads.all_candidates(session, search.id)
        ids = {
            "case_id": case.id,
            "probe_id": probe.id,
            "search_id": search.id,
            "candidate_id": candidates[0].id,
            "gallery_id": gallery.id,
            "photo_id": photo_ids[0],
            "subject_id": subject_id,
            "job_id": search.job_id,
            "rendition_id": _rendition(session, investigator, probe, site),
            "report_id": _report(session, investigator, case, site),
            "benchmark_id": create_job(session, kind="benchmark", parameters={}).id,
            "key_id": uuid.uuid4(),
            "model": "sketchface",
            "examiner_id": people[E].id,
        }
    ids["user_id"] = site.add_person("bystander", E).id
    clients = {role: site.with_key(people[role], role) for role in Role}
    site.engine.dispose()
    headers = {r: str(c.environ_base["HTTP_AUTHORIZATION"]) for r, c in clients.items()}
    return Past(folder, headers, {name: str(value) for name, value in ids.items()})


@pytest.fixture
def world(past: Past, application: Flask, tmp_path: Path) -> Iterator[World]:
    shutil.copytree(past.folder, tmp_path, dirs_exist_ok=True)
    site = Site(settings_of(tmp_path), application)
    clients = {}
    for role, header in past.headers.items():
        clients[role] = application.test_client()
        clients[role].environ_base["HTTP_AUTHORIZATION"] = header
    yield World(site, clients, past.ids)
    site.engine.dispose()


def _rendition(session, actor, probe, site: Site) -> uuid.UUID:
    landmarks = find_landmarks(session, probe.id)
    made = Rendition(
        probe_id=probe.id,
        landmark_version_id=landmarks.id,
        generator="fake",
        weights_sha256=sha256("weights"),
        seed=0,
        parameters={},
        output_sha256=site.store.put(png(5)),
        device="cpu",
        software_version="0",
        duration_ms=1.0,
        made_by_id=actor.user_id,
    )
    return add_rendition(session, made).id


def _report(session, actor, case, site: Site) -> uuid.UUID:
    document = b"a report"
    return add_report(
        session,
        case_id=case.id,
        written_by_id=actor.user_id,
        format=ReportFormat.PDF,
        sha256=site.store.put(document),
        size_bytes=len(document),
        contents={},
        software_version="0",
    ).id


def send(client: FlaskClient, operation: Operation, ids: dict[str, str]):
    """Send what a row says, with the identifiers of the world put in."""

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.format(**ids) if value.startswith("{") else value
        if isinstance(value, list):
            return [filled(item) for item in value]
        return value

    sent: dict[str, Any] = {"headers": operation.headers, "query_string": operation.query}
    if operation.body is not None:
        sent["json"] = {name: filled(value) for name, value in operation.body.items()}
    if operation.form is not None:
        sent["data"] = {
            name: (io.BytesIO(value), "x.png") if isinstance(value, bytes) else value
            for name, value in operation.form.items()
        }
    path = "/api/v1" + operation.path.format(**ids)
    return client.open(path, method=operation.method, **sent)


def test_table_has_every_operation(application: Flask) -> None:
    described = application.test_client().get("/api/v1/openapi.json").json
    told = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in described["paths"].items()
        for method in operations
        if method != "parameters"
    }
    renamed = {
        "{user_id}": "{examiner_id}",
        "/models/{name}": "/models/{model}",
        "/benchmarks/{job_id}": "/benchmarks/{benchmark_id}",
        "/files/{name}": "/files/none.pdf",
    }

    def same(text: str) -> str:
        for old, new in renamed.items():
            text = text.replace(old, new)
        return text

    assert {same(text) for text in told} - PUBLIC == {same(str(row)) for row in OPERATIONS}


def test_nobody_gets_in_without_signing_in(world: World) -> None:
    client = world.site.app.test_client()
    let_in = [
        str(operation)
        for operation in OPERATIONS
        if send(client, operation, world.ids).status_code != 401
    ]
    assert let_in == ["DELETE /session"] or let_in == []


@pytest.mark.parametrize("role", sorted(Role))
def test_lesser_roles_are_refused(world: World, role: Role) -> None:
    refused = {
        str(operation): send(world.clients[role], operation, world.ids).status_code
        for operation in OPERATIONS
        if role not in operation.roles
    }
    # Managers may see jobs, but none of a case: as if there were none.
    unseen = {name for name, status in refused.items() if status == 404}
    assert unseen <= {"GET /jobs/{job_id}", "GET /jobs/{job_id}/items", "DELETE /jobs/{job_id}"}
    closed_to_the_blind = {"GET /searches/{search_id}/conclusions", "GET /reports/{report_id}/file"}
    blind = closed_to_the_blind if role is E else set()
    assert {n for n, status in refused.items() if status not in (403, 404)} <= blind


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_those_who_may_are_answered(world: World, operation: Operation) -> None:
    role = min(operation.roles)
    client = world.site.signed_in(role.value) if operation.by_session else world.clients[role]
    answer = send(client, operation, world.ids)
    assert answer.status_code == operation.status, answer.get_data(as_text=True)[:500]


def test_auditor_sees_other_peoples_cases_and_changes_nothing(world: World) -> None:
    auditor = world.clients[U]
    for operation in OPERATIONS:
        if operation.method != "GET" and operation.path.startswith(("/cases", "/probes")):
            assert send(auditor, operation, world.ids).status_code == 403, operation


def test_examiner_sees_ranks_only_after_deciding_on_every_candidate(world: World) -> None:
    examiner, path = world.clients[E], f"/api/v1/searches/{world.ids['search_id']}/candidates"
    listed = examiner.get(path).json
    assert listed["is_blind"]
    assert {entry["rank"] for entry in listed["entries"]} == {None}
    assert "identifies nobody" in listed["notice"]
    for entry in listed["entries"]:
        body = {"verdict": "no_candidate"}
        examiner.post(f"/api/v1/candidates/{entry['id']}/reviews", json=body)
    listed = examiner.get(path).json
    assert [entry["rank"] for entry in listed["entries"]] == [1, 2, 3]
    assert reviews.FEATURES
