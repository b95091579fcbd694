"""`/session`: signing in and out for programs with a cookie, and who one is."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from db.models import Role
from forensic.cases.passwords import LENGTH_MAX
from forensic.web import auth
from forensic.web.api.frame import Family

family = Family("session", "Signing in, and who one is.")


class SignInSchema(Schema):
    """Name and password."""

    name = fields.String(required=True, validate=validate.Length(1, 64))
    password = fields.String(required=True, validate=validate.Length(1, LENGTH_MAX))


class PasswordSchema(Schema):
    """The present password and the new one."""

    old = fields.String(required=True, validate=validate.Length(1, LENGTH_MAX))
    new = fields.String(required=True, validate=validate.Length(1, LENGTH_MAX))


class SessionSchema(Schema):
    """Who is signed in."""

    user_id = fields.UUID(required=True)
    name = fields.String(required=True)
    roles = fields.List(fields.Enum(Role, by_value=True), required=True)
    via = fields.String(required=True)
    must_change_password = fields.Boolean(required=True)
    csrf_token = fields.String(required=True)


@family.operation("POST", "/session", body=SignInSchema, is_public=True)
def begin(sent: dict[str, str]) -> None:
    """Sign in.

    The answer sets the cookie; then GET /session for the CSRF token that changes need.
    """
    auth.sign_in(sent["name"], sent["password"])


@family.operation("GET", "/session", gives=SessionSchema)
def show() -> dict[str, Any]:
    """Say who one is."""
    actor = auth.current_actor()
    return {
        "user_id": actor.user_id,
        "name": actor.name,
        "roles": sorted(actor.roles),
        "via": actor.via,
        "must_change_password": auth.must_change_password(),
        "csrf_token": auth.csrf_token(),
    }


@family.operation("DELETE", "/session")
def end() -> None:
    """Sign out."""
    auth.sign_out()


@family.operation("POST", "/session/password", body=PasswordSchema)
def change_password(sent: dict[str, str]) -> None:
    """Change one's own password; every other session of one's own ends."""
    auth.change_password(sent["old"], sent["new"])
