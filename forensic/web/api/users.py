"""`/users`, `/roles` and `/api-keys`: who may do what."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import g
from marshmallow import Schema, fields, validate

from db.models import ApiKey, Role
from forensic.cases import accounts, keys
from forensic.cases.accounts import Person
from forensic.cases.permissions import RULES
from forensic.web import auth, records
from forensic.web.api.frame import (
    Family,
    PageQuery,
    etag,
    expected_version,
    fetch,
    page_of,
)

family = Family("users", "People, roles and API keys.")


def role_list(**options: Any) -> fields.List[Role]:
    """Return a field that holds roles."""
    return fields.List(fields.Enum(Role, by_value=True), **options)


class UserSchema(Schema):
    """One account, without anything secret."""

    id = fields.UUID(attribute="user.id", required=True)
    name = fields.String(attribute="user.name", required=True)
    full_name = fields.String(attribute="user.full_name", required=True)
    roles = fields.Function(
        lambda person: sorted(person.roles),
        required=True,
        metadata={"type": "array", "items": {"type": "string"}},
    )
    is_active = fields.Boolean(attribute="user.is_active", required=True)
    must_change_password = fields.Boolean(attribute="user.must_change_password", required=True)
    locked_until_at = fields.AwareDateTime(attribute="user.locked_until_at", required=True)
    last_login_at = fields.AwareDateTime(attribute="user.last_login_at", required=True)
    created_at = fields.AwareDateTime(attribute="user.created_at", required=True)


class NewUserSchema(Schema):
    """A person to add."""

    name = fields.String(required=True, validate=validate.Length(2, 64))
    full_name = fields.String(required=True, validate=validate.Length(1, 200))
    roles = role_list(required=True)


class OneTimePasswordSchema(Schema):
    """An account with the password for its first use; shown once and not kept."""

    user = fields.Nested(UserSchema, required=True)
    one_time_password = fields.String(required=True)


class UserChangeSchema(Schema):
    """What of an account is to change."""

    full_name = fields.String(validate=validate.Length(1, 200))
    roles = role_list()
    is_active = fields.Boolean()


class RoleSchema(Schema):
    """What one role allows."""

    name = fields.Enum(Role, by_value=True, required=True)
    may = fields.List(fields.String(), required=True)


class KeySchema(Schema):
    """One API key; the key itself is not kept."""

    id = fields.UUID(required=True)
    label = fields.String(required=True)
    prefix = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    last_used_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)


class NewKeySchema(Schema):
    """A key to make."""

    label = fields.String(required=True, validate=validate.Length(1, 200))
    scopes = role_list(required=True)
    expires_at = fields.AwareDateTime(allow_none=True, load_default=None)


class MadeKeySchema(Schema):
    """A key as it is shown once."""

    key = fields.String(required=True)
    api_key = fields.Nested(KeySchema, required=True)


class KeysSchema(Schema):
    """All keys of a person."""

    items = fields.List(fields.Nested(KeySchema), required=True)


class RolesSchema(Schema):
    """All roles."""

    items = fields.List(fields.Nested(RoleSchema), required=True)


@family.operation("GET", "/users", query=PageQuery, gives=page_of(UserSchema))
def list_users(query: dict[str, Any]) -> dict[str, Any]:
    """List people."""
    session, actor = records.session(), auth.current_actor()
    return fetch(query, lambda **options: accounts.list_users(session, actor, **options))


@family.operation("POST", "/users", body=NewUserSchema, gives=OneTimePasswordSchema, status=201)
def add_user(sent: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Add a person; the answer holds their one-time password."""
    g.holds_secret = True
    person, password = accounts.add_user(records.session(), auth.current_actor(), **sent)
    return {"user": person, "one_time_password": password}, {
        "Location": f"/api/v1/users/{person.user.id}"
    }


@family.operation("GET", "/users/<uuid:user_id>", gives=UserSchema)
def get_user(user_id: uuid.UUID) -> tuple[Person, dict[str, str]]:
    """Show a person."""
    person = accounts.get_user(records.session(), auth.current_actor(), user_id)
    return person, etag(person.user.version)


@family.operation(
    "PATCH", "/users/<uuid:user_id>", body=UserChangeSchema, gives=UserSchema, is_versioned=True
)
def change_user(sent: dict[str, Any], user_id: uuid.UUID) -> tuple[Person, dict[str, str]]:
    """Change a person's full name, roles, or whether they may sign in."""
    person = accounts.update_user(
        records.session(), auth.current_actor(), user_id, version=expected_version(), **sent
    )
    return person, etag(person.user.version)


@family.operation("POST", "/users/<uuid:user_id>/password-reset", gives=OneTimePasswordSchema)
def reset_password(user_id: uuid.UUID) -> dict[str, Any]:
    """Give a person a new one-time password; their sessions end."""
    g.holds_secret = True
    person, password = accounts.reset_password(records.session(), auth.current_actor(), user_id)
    return {"user": person, "one_time_password": password}


@family.operation("GET", "/roles", gives=RolesSchema)
def list_roles() -> dict[str, Any]:
    """List roles and what each allows."""
    auth.current_actor()
    return {
        "items": [
            {"name": role, "may": [a.value for a, rule in RULES.items() if role in rule.roles]}
            for role in Role
        ]
    }


@family.operation("GET", "/api-keys", gives=KeysSchema)
def list_keys() -> dict[str, Sequence[ApiKey]]:
    """List one's own keys."""
    return {"items": keys.list_keys(records.session(), auth.current_actor())}


@family.operation("POST", "/api-keys", body=NewKeySchema, gives=MadeKeySchema, status=201)
def create_key(sent: dict[str, Any]) -> dict[str, Any]:
    """Make a key for oneself; it is shown once."""
    g.holds_secret = True
    key, text = keys.create_key(records.session(), auth.current_actor(), **sent)
    return {"key": text, "api_key": key}


@family.operation("DELETE", "/api-keys/<uuid:key_id>")
def revoke_key(key_id: uuid.UUID) -> None:
    """End a key."""
    keys.revoke_key(records.session(), auth.current_actor(), key_id)
