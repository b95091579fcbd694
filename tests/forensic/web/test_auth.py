from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from db.base import utc_now
from db.models import Role, User, WebSession
from db.queries.users import set_roles
from forensic.cases.audit import Tag
from tests.support.service import events_of
from tests.support.web import PASSWORD, Site, settings_of

CASE = {"number": "1", "offence": "theft", "legal_basis": "order", "purpose": "leads"}


@pytest.fixture
def ann(site: Site) -> User:
    return site.add_person("ann", Role.INVESTIGATOR)


def sign_in(client, password: str = PASSWORD, name: str = "ann"):
    return client.post("/api/v1/session", json={"name": name, "password": password})


def test_signing_in_tells_who_one_is_and_is_recorded(site: Site, ann: User) -> None:
    client = site.signed_in("ann")
    told = client.get("/api/v1/session").json
    assert told["user_id"] == str(ann.id)
    assert told["roles"] == ["investigator"]
    assert told["via"] == "session"
    with site.session() as session:
        (event,) = events_of(session, Tag.LOGIN)
        assert event.actor == str(ann.id)


def test_unknown_name_wrong_password_and_closed_account_sound_the_same(
    site: Site, ann: User
) -> None:
    bob = site.add_person("bob", Role.EXAMINER)
    with site.session() as session:
        session.get_one(User, bob.id).is_active = False
    client = site.app.test_client()
    answers = [
        sign_in(client, "wrong"),
        sign_in(client, name="nobody"),
        sign_in(client, name="bob"),
        sign_in(client, name="a\x00b"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json["detail"] for answer in answers}) == 1
    with site.session() as session:
        refused = events_of(session, Tag.LOGIN_FAILED)
        assert len(refused) == 4
        assert all("nobody" not in event.payload for event in refused)


def test_account_locks_and_then_refuses_the_right_password(site: Site, ann: User) -> None:
    client = site.app.test_client()
    for _ in range(site.settings.lock_after):
        assert sign_in(client, "wrong").status_code == 401
    assert sign_in(client).status_code == 401
    with site.session() as session:
        assert len(events_of(session, Tag.ACCOUNT_LOCKED)) == 1
        user = session.get_one(User, ann.id)
        user.locked_until_at = utc_now() - timedelta(seconds=1)
    assert sign_in(client).status_code == 204


def test_sign_in_attempts_are_limited_by_address(migrated_sqlite: Path, tmp_path: Path) -> None:
    (tmp_path / "service.db").write_bytes(migrated_sqlite.read_bytes())
    site = Site(settings_of(tmp_path, sign_ins_per_minute=3))
    client = site.app.test_client()
    answers = [sign_in(client, name="nobody") for _ in range(5)]
    assert [a.status_code for a in answers] == [401, 401, 401, 429, 429]
    assert answers[-1].json["code"] == "too_many_requests"
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_session_is_new_after_sign_in_whatever_the_browser_held(site: Site, ann: User) -> None:
    client = site.app.test_client()
    with client.session_transaction() as planted:
        planted["token"], planted["csrf"] = "planted", "planted"
    sign_in(client)
    with client.session_transaction() as held:
        assert held["token"] != "planted"
        assert "csrf" not in held


def test_changes_need_the_token_of_the_session(site: Site, ann: User) -> None:
    client = site.signed_in("ann")
    del client.environ_base["HTTP_X_CSRF_TOKEN"]
    refused = client.post("/api/v1/cases", json=CASE)
    assert (refused.status_code, refused.json["code"]) == (403, "csrf_failed")
    other = site.signed_in("ann").environ_base["HTTP_X_CSRF_TOKEN"]
    forged = client.post("/api/v1/cases", json=CASE, headers={"X-CSRF-Token": other})
    assert forged.status_code == 403
    assert client.get("/api/v1/cases").json["items"] == []


def test_sign_in_form_from_another_site_is_refused(site: Site, ann: User) -> None:
    sent = {"name": "ann", "password": PASSWORD}
    assert site.app.test_client().post("/api/v1/session", data=sent).status_code == 403


def test_sign_out_ends_the_session_in_the_database_too(site: Site, ann: User) -> None:
    client = site.signed_in("ann")
    cookie = client.get_cookie("forensic")
    assert cookie is not None
    assert client.delete("/api/v1/session").status_code == 204
    client.set_cookie("forensic", cookie.value)
    assert client.get("/api/v1/session").status_code == 401


def test_role_taken_away_ends_the_sessions(site: Site, ann: User) -> None:
    admin = site.add_person("admin", Role.ADMINISTRATOR)
    client = site.signed_in("ann")
    with_key = site.with_key(admin, Role.ADMINISTRATOR)
    before = with_key.get(f"/api/v1/users/{ann.id}")
    changed = with_key.patch(
        f"/api/v1/users/{ann.id}", json={"roles": []}, headers={"If-Match": before.headers["ETag"]}
    )
    assert changed.status_code == 200
    assert client.get("/api/v1/session").status_code == 401


def test_one_time_password_must_be_changed_before_anything_else(site: Site) -> None:
    site.add_person("eve", Role.INVESTIGATOR, must_change=True)
    client = site.signed_in("eve")
    refused = client.get("/api/v1/cases")
    assert (refused.status_code, refused.json["code"]) == (403, "password_change_required")
    new = "another long password"
    changed = client.post("/api/v1/session/password", json={"old": PASSWORD, "new": new})
    assert changed.status_code == 204
    assert client.get("/api/v1/cases").status_code == 200
    assert sign_in(site.app.test_client(), name="eve").status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (PASSWORD, "short", 422),
        (PASSWORD, "aaaaaaaaaaaaaaaa", 422),
        (PASSWORD, "i am ann from here", 422),
        (PASSWORD, PASSWORD, 422),
        ("wrong", "another long password", 401),
    ],
)
def test_poor_new_passwords_are_refused(
    site: Site, ann: User, old: str, new: str, status: int
) -> None:
    client = site.signed_in("ann")
    answer = client.post("/api/v1/session/password", json={"old": old, "new": new})
    assert answer.status_code == status
    assert sign_in(site.app.test_client()).status_code == 204


def test_changing_the_password_ends_other_sessions_only(site: Site, ann: User) -> None:
    here, there = site.signed_in("ann"), site.signed_in("ann")
    here.post("/api/v1/session/password", json={"old": PASSWORD, "new": "another long password"})
    assert here.get("/api/v1/session").status_code == 200
    assert there.get("/api/v1/session").status_code == 401


def test_keys_are_made_once_shown_once_and_can_be_revoked(site: Site, ann: User) -> None:
    client = site.signed_in("ann")
    made = client.post("/api/v1/api-keys", json={"label": "lab", "scopes": ["investigator"]})
    key = made.json["key"]
    program = site.app.test_client()
    headers = {"Authorization": f"Bearer {key}"}
    assert program.get("/api/v1/session", headers=headers).json["via"] == "api_key"
    assert key not in client.get("/api/v1/api-keys").get_data(as_text=True)
    assert client.delete(f"/api/v1/api-keys/{made.json['api_key']['id']}").status_code == 204
    assert program.get("/api/v1/session", headers=headers).status_code == 401
    with site.session() as session:
        assert len(events_of(session, Tag.KEY_REFUSED)) == 1


def test_key_narrows_the_roles_and_cannot_outlive_them(site: Site, ann: User) -> None:
    with site.session() as session:
        set_roles(session, ann.id, [Role.INVESTIGATOR, Role.AUDITOR])
    client = site.with_key(ann, Role.AUDITOR)
    assert client.post("/api/v1/cases", json=CASE).status_code == 403
    with site.session() as session:
        set_roles(session, ann.id, [Role.INVESTIGATOR])
    assert client.get("/api/v1/session").json["roles"] == []


def test_key_cannot_make_keys_nor_take_roles_that_one_has_not(site: Site, ann: User) -> None:
    body = {"label": "x", "scopes": ["investigator"]}
    with_key = site.with_key(ann, Role.INVESTIGATOR)
    assert with_key.post("/api/v1/api-keys", json=body).status_code == 401
    wider = {"label": "x", "scopes": ["administrator"]}
    assert site.signed_in("ann").post("/api/v1/api-keys", json=wider).status_code == 422


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer x", "Bearer fk_00_\x7f"])
def test_bad_authorization_is_refused(site: Site, header: str) -> None:
    answer = site.app.test_client().get("/api/v1/cases", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_idle_session_is_over(site: Site, ann: User) -> None:
    client = site.signed_in("ann")
    with site.session() as session:
        idle = utc_now() - timedelta(minutes=site.settings.idle_minutes + 1)
        session.execute(update(WebSession).values(seen_at=idle))
    assert client.get("/api/v1/session").status_code == 401
