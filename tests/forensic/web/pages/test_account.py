from __future__ import annotations

import re

import pytest

from db.models import Role
from forensic.cases.audit import Tag
from tests.support.web import PASSWORD, Site

from .conftest import Scene


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def sign_in(site: Site, name: str, password: str = PASSWORD, following: str = "/"):
    client = site.app.test_client()
    shown = token(client.get("/sign-in").text)
    fields = {"csrf_token": shown, "name": name, "password": password, "next": following}
    return client, client.post("/sign-in", data=fields)


def test_signing_in_leads_to_where_one_wanted_to_go(scene: Scene) -> None:
    client, answer = sign_in(scene.site, "ines", following=f"/cases/{scene.case_id}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/cases/{scene.case_id}"
    assert "Case 2026/0417" in client.get(answer.headers["Location"]).text
    assert scene.n_events(Tag.LOGIN) == 1


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil", "evil"])
def test_signing_in_never_leads_to_another_site(scene: Scene, path: str) -> None:
    _, answer = sign_in(scene.site, "ines", following=path)
    assert answer.headers["Location"] == "/"


def test_a_wrong_password_shows_the_form_again_and_is_recorded(scene: Scene) -> None:
    client, answer = sign_in(scene.site, "ines", "wrong password here")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "wrong password here" not in answer.text
    assert 'value="ines"' in answer.text
    assert scene.n_events(Tag.LOGIN_FAILED) == 1
    assert client.get("/cases").status_code == 303


@pytest.mark.parametrize("name", ["ines", "gita", "adam", "aude"])
def test_home_is_a_page_that_the_person_may_see(scene: Scene, name: str) -> None:
    home = scene.client(name).get("/")
    assert home.status_code == 302
    assert scene.client(name).get(home.headers["Location"]).status_code == 200


def test_a_one_time_password_must_be_changed_first(site: Site) -> None:
    site.add_person("nora", Role.INVESTIGATOR, must_change=True)
    client, answer = sign_in(site, "nora", following="/cases")
    assert answer.headers["Location"] == "/password"
    assert client.get("/cases").headers["Location"] == "/password"
    page = client.get("/password").text
    fields = {"csrf_token": token(page), "old": PASSWORD, "new": "nine brown owls sing"}
    differing = client.post("/password", data={**fields, "again": "another"})
    assert differing.status_code == 422
    assert "The two new passwords differ." in differing.text
    changed = client.post("/password", data={**fields, "again": "nine brown owls sing"})
    assert changed.status_code == 303
    assert client.get("/cases").status_code == 200
    assert sign_in(site, "nora", "nine brown owls sing")[1].status_code == 303


def test_signing_out_ends_the_session(scene: Scene) -> None:
    client = scene.client("ines")
    assert client.post("/sign-out").status_code == 303
    assert client.get("/cases").status_code == 303
    assert scene.n_events(Tag.LOGOUT) == 1


def test_a_new_key_is_shown_once_and_works_until_revoked(scene: Scene) -> None:
    client = scene.client("ines")
    made = client.post("/keys", data={"label": "import script", "days": "30"}).text
    key = re.search(r"<code>(fk_[0-9a-f]{12}_[\w-]{43})</code>", made)
    assert key
    assert key[1] not in client.get("/keys").text
    program = scene.site.app.test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key[1]}"
    assert program.get("/api/v1/cases").status_code == 200
    revoke = re.search(r'action="(/keys/[0-9a-f-]+/revoke)"', client.get("/keys").text)
    assert revoke
    assert client.post(revoke[1]).status_code == 303
    assert program.get("/api/v1/cases").status_code == 401


@pytest.mark.parametrize("days", ["0", "366", "many", ""])
def test_a_key_of_a_wrong_lifetime_is_refused(scene: Scene, days: str) -> None:
    answer = scene.client("ines").post("/keys", data={"label": "x", "days": days})
    assert answer.status_code == 422
    assert 'id="days"' in answer.text
    assert 'aria-invalid="true"' in answer.text
