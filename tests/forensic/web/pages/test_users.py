from __future__ import annotations

import re

import pytest

from db.models import Role, User
from db.queries.users import find_user, list_roles
from forensic.cases.audit import Tag
from tests.forensic.web.pages.test_account import sign_in

from .conftest import Scene

NEW = {"name": "nora", "full_name": "Nora New", "roles": ["examiner", "auditor"]}


def read(scene: Scene, name: str) -> tuple[User, frozenset[Role]]:
    with scene.site.session() as session:
        user = find_user(session, name)
        assert user
        return user, list_roles(session, user.id)


def test_a_new_person_gets_a_password_that_is_shown_once(scene: Scene) -> None:
    client = scene.client("adam")
    page = client.post("/users", data=NEW).text
    shown = re.search(r"<code>([^<]{12,})</code>", page)
    assert shown
    assert shown[1] not in client.get("/users").text
    assert read(scene, "nora")[1] == {Role.EXAMINER, Role.AUDITOR}
    _, answer = sign_in(scene.site, "nora", shown[1])
    assert answer.headers["Location"] == "/password"
    assert scene.n_events(Tag.USER_ADDED) == 1


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"name": "Nora N"}, "A name has"),
        ({"full_name": " "}, "full name"),
        ({"name": "ines"}, "already"),
    ],
)
def test_an_unfit_account_is_refused_with_the_form(
    scene: Scene, changes: dict[str, str], phrase: str
) -> None:
    answer = scene.client("adam").post("/users", data={**NEW, **changes})
    assert answer.status_code == 422
    assert phrase in answer.text
    assert 'value="examiner" checked' in answer.text


def test_roles_and_accounts_are_taken_away(scene: Scene) -> None:
    client, emil = scene.client("adam"), scene.people["emil"].id
    held = scene.client("emil")
    assert held.get("/cases").status_code == 200
    assert client.post(f"/users/{emil}/roles", data={"roles": ["auditor"]}).status_code == 303
    assert read(scene, "emil")[1] == {Role.AUDITOR}
    assert held.get("/cases").status_code == 303
    assert client.post(f"/users/{emil}/active", data={"active": "no"}).status_code == 303
    assert not read(scene, "emil")[0].is_active
    assert sign_in(scene.site, "emil")[1].status_code == 422


def test_nobody_takes_away_their_own_administration(scene: Scene) -> None:
    adam = scene.people["adam"].id
    answer = scene.client("adam").post(f"/users/{adam}/roles", data={"roles": ["auditor"]})
    assert answer.status_code == 409
    assert read(scene, "adam")[1] == {Role.ADMINISTRATOR}


def test_a_one_time_password_replaces_a_forgotten_one(scene: Scene) -> None:
    page = scene.client("adam").post(f"/users/{scene.people['emil'].id}/password").text
    shown = re.search(r"<code>([^<]{12,})</code>", page)
    assert shown
    assert sign_in(scene.site, "emil")[1].status_code == 422
    assert sign_in(scene.site, "emil", shown[1])[1].headers["Location"] == "/password"
