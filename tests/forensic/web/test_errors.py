from __future__ import annotations

import inspect
import json

import pytest

import db.errors
from db.models import Role
from forensic import errors
from forensic.cases.audit import Tag
from forensic.web import errors as web_errors
from tests.support.service import events_of
from tests.support.web import Site

CASE = {"number": "1", "offence": "theft", "legal_basis": "order", "purpose": "leads"}
MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


def ours() -> list[type[Exception]]:
    roots = (errors.ForensicError, db.errors.RecordError)
    found = [
        kind
        for module in (errors, db.errors)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, roots) and kind is not errors.ForensicError
    ]
    return sorted(found, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", ours(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_own_status_and_code(kind: type[Exception]) -> None:
    status, code = web_errors.TABLE[kind]
    assert 400 <= status < 600
    assert code.islower()


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("GET", "/api/v1/nothing", {}, 404, "not_found"),
        ("GET", "/api/v1/cases/not-a-uuid", {}, 404, "not_found"),
        ("DELETE", "/api/v1/cases", {}, 405, "method_not_allowed"),
        ("POST", "/api/v1/cases", {"data": b"{", "content_type": "application/json"}, 400, None),
        ("POST", "/api/v1/cases", {"data": b"<x/>", "content_type": "text/xml"}, 415, None),
        ("POST", "/api/v1/cases", {"json": [1]}, 422, "validation_failed"),
        ("POST", "/api/v1/cases", {"json": {"number": 1}}, 422, "validation_failed"),
        ("POST", "/api/v1/cases", {"json": {**CASE, "x": 1}}, 422, "validation_failed"),
        ("POST", "/api/v1/cases", {"json": {**CASE, "number": "a\x00b"}}, 422, "refused"),
        (
            "POST",
            "/api/v1/cases",
            {"data": b" " * (2**20 + 1), "content_type": "application/json"},
            413,
            "too_large",
        ),
        ("GET", "/api/v1/cases?limit=0", {}, 422, "validation_failed"),
        ("GET", "/api/v1/cases?cursor=forged", {}, 422, "refused"),
    ],
)
def test_everything_wrong_has_one_shape(
    site: Site, method: str, path: str, sent: dict, status: int, code: str | None
) -> None:
    client = site.with_key(site.add_person("ann", Role.INVESTIGATOR), Role.INVESTIGATOR)
    answer = client.open(path, method=method, **sent)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert set(answer.json) == MEMBERS
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert code in (None, answer.json["code"])


def test_refused_method_names_those_allowed(site: Site) -> None:
    answer = site.app.test_client().delete("/api/v1/cases")
    assert "GET" in answer.headers["Allow"]


def test_what_was_not_foreseen_tells_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    secret = "swordfish"

    def broken() -> str:
        raise KeyError(secret)

    live = site.app.view_functions["health.live"]
    site.app.view_functions["health.live"] = broken
    try:
        answer = site.app.test_client().get("/health/live")
    finally:
        site.app.view_functions["health.live"] = live
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert secret not in answer.get_data(as_text=True)
    assert any(record.exc_info for record in caplog.records)


def test_unknown_page_is_a_page(site: Site) -> None:
    answer = site.app.test_client().get("/nothing-here")
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"


def test_pages_send_those_not_signed_in_to_sign_in(site: Site) -> None:
    answer = site.app.test_client().get("/cases")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=%2Fcases"


def test_refusals_are_in_the_audit(site: Site) -> None:
    client = site.with_key(site.add_person("ann", Role.EXAMINER), Role.EXAMINER)
    assert client.post("/api/v1/cases", json=CASE).status_code == 403
    with site.session() as session:
        (event,) = events_of(session, Tag.PERMISSION_REFUSED)
        assert json.loads(event.payload)["details"]["action"] == "open_case"


def test_refused_request_leaves_nothing_behind(site: Site) -> None:
    client = site.with_key(site.add_person("ann", Role.INVESTIGATOR), Role.INVESTIGATOR)
    client.post("/api/v1/cases", json=CASE)
    assert client.post("/api/v1/cases", json=CASE).json["code"] == "conflict"
    with site.session() as session:
        assert len(events_of(session, Tag.CASE_OPENED)) == 1
