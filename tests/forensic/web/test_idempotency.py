from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient

from db.models import Role
from tests.support.service import png
from tests.support.web import PASSWORD, Site

CASE = {"number": "1", "offence": "theft", "legal_basis": "order", "purpose": "leads"}
KEY = {"Idempotency-Key": "once"}


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return site.with_key(site.add_person("ann", Role.INVESTIGATOR), Role.INVESTIGATOR)


def test_same_request_and_key_is_done_once_and_answered_alike(client: FlaskClient) -> None:
    first = client.post("/api/v1/cases", json=CASE, headers=KEY)
    second = client.post("/api/v1/cases", json=CASE, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data == second.data
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(client.get("/api/v1/cases").json["items"]) == 1


def test_same_key_with_another_body_is_refused(client: FlaskClient) -> None:
    client.post("/api/v1/cases", json=CASE, headers=KEY)
    other = client.post("/api/v1/cases", json={**CASE, "number": "2"}, headers=KEY)
    assert other.status_code == 422
    assert other.json["errors"][0]["field"] == "Idempotency-Key"
    assert len(client.get("/api/v1/cases").json["items"]) == 1


def test_keys_of_two_people_do_not_meet(site: Site, client: FlaskClient) -> None:
    bob = site.with_key(site.add_person("bob", Role.INVESTIGATOR), Role.INVESTIGATOR)
    client.post("/api/v1/cases", json=CASE, headers=KEY)
    answer = bob.post("/api/v1/cases", json={**CASE, "number": "2"}, headers=KEY)
    assert answer.status_code == 201


def test_refusal_is_not_kept(client: FlaskClient) -> None:
    assert client.post("/api/v1/cases", json={}, headers=KEY).status_code == 422
    assert client.post("/api/v1/cases", json=CASE, headers=KEY).status_code == 201


def test_upload_sent_again_with_a_new_boundary_is_the_same_request(client: FlaskClient) -> None:
    case_id = client.post("/api/v1/cases", json=CASE).json["id"]

    def send(data: bytes):
        form = {
            "kind": "forensic",
            "source": "interview",
            "sketch": (io.BytesIO(data), "sketch.png"),
        }
        return client.post(f"/api/v1/cases/{case_id}/probes", data=form, headers=KEY)

    first, second = send(png()), send(png())
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] == second.json["id"]
    assert send(png(1)).status_code == 422


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_malformed_keys_are_refused(client: FlaskClient, key: str) -> None:
    answer = client.post("/api/v1/cases", json=CASE, headers={"Idempotency-Key": key})
    assert answer.status_code == 422


def test_passwords_and_keys_are_never_kept(site: Site, client: FlaskClient) -> None:
    browser = site.signed_in("ann")
    body = {"label": "lab", "scopes": ["investigator"]}
    first = browser.post("/api/v1/api-keys", json=body, headers=KEY)
    second = browser.post("/api/v1/api-keys", json=body, headers=KEY)
    assert first.json["key"] != second.json["key"]


def test_key_on_a_sign_in_is_passed_over(site: Site, client: FlaskClient) -> None:
    browser = site.signed_in("ann")
    sent = {"name": "ann", "password": PASSWORD}
    for _ in range(2):
        answer = browser.post("/api/v1/session", json=sent, headers=KEY)
        assert answer.status_code == 204
        assert "Idempotency-Replayed" not in answer.headers
