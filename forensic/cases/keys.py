"""API keys: made and shown once, kept as digests, narrowed to some of their owner's roles."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.base import utc_now
from db.models import ApiKey, Role
from db.queries import users
from db.session import session_scope
from forensic.cases import audit, permissions
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action
from forensic.cases.sessions import digest_token
from forensic.errors import RecordNotFound, RequestRefused, SignInFailed

_KEY = re.compile(r"fk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z")
_NOTE_USE_AFTER = timedelta(minutes=1)


def create_key(
    session: Session,
    actor: Actor,
    *,
    label: str,
    scopes: Iterable[Role],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for oneself and return it with its text, which is shown once and not kept.

    Args:
        session: An open session.
        actor: Whose key it becomes; they must have signed in with a password.
        label: What it is for.
        scopes: Roles that the key may use, of those its owner holds.
        expires_at: When it ends by itself.

    Raises:
        NotPermitted: The actor holds no role.
        RequestRefused: A scope is not the actor's, the label is empty, or the end is past.
        SignInFailed: A key may not make keys.
    """
    permissions.check(actor, Action.OWN_KEYS)
    if actor.user_id is None or actor.via != "session":
        raise SignInFailed("Sign in with a password to make or revoke keys.")
    wanted = frozenset(scopes)
    if not wanted or not wanted <= actor.roles:
        raise RequestRefused("Scopes are one or more of your own roles.", field="scopes")
    if not label.strip():
        raise RequestRefused("The label is empty.", field="label")
    if expires_at is not None and expires_at <= utc_now():
        raise RequestRefused("The key would have ended already.", field="expires_at")
    prefix, text = secrets.token_hex(6), secrets.token_urlsafe(32)
    text = f"fk_{prefix}_{text}"
    key = users.create_api_key(
        session,
        user_id=actor.user_id,
        label=label.strip(),
        prefix=prefix,
        digest_sha256=digest_token(text),
        scopes=sorted(wanted),
        expires_at=expires_at,
    )
    audit.record(session, actor, audit.Tag.KEY_CREATED, prefix=prefix, scopes=wanted)
    return key, text


def list_keys(session: Session, actor: Actor) -> Sequence[ApiKey]:
    """Return one's own keys, oldest first.

    Raises:
        NotPermitted: The actor holds no role.
    """
    permissions.check(actor, Action.OWN_KEYS)
    return users.list_api_keys(session, actor.user_id) if actor.user_id else []


def revoke_key(session: Session, actor: Actor, key_id: uuid.UUID) -> ApiKey:
    """End a key, one's own or, for those who manage accounts, anybody's.

    Raises:
        NotPermitted: The actor holds no role.
        RecordNotFound: There is no such key, or it is another person's.
        SignInFailed: A key may not revoke keys.
    """
    permissions.check(actor, Action.OWN_KEYS)
    if actor.via == "api_key":
        raise SignInFailed("Sign in with a password to make or revoke keys.")
    key = session.get(ApiKey, key_id)
    is_own = key is not None and key.user_id == actor.user_id
    if key is None or not (is_own or permissions.may(actor, Action.MANAGE_USERS)):
        raise RecordNotFound("API key", key_id)
    users.revoke_api_key(session, key_id)
    audit.record(session, actor, audit.Tag.KEY_REVOKED, prefix=key.prefix)
    return key


def authenticate(engine: Engine, actor: Actor, text: str) -> Actor:
    """Return the actor for whom a key acts.

    Raises:
        SignInFailed: The key is unknown, revoked, expired, or its owner is closed. A well-formed
            one is recorded.
    """
    match = _KEY.match(text)
    if match is None:
        raise SignInFailed("The bearer key is not one of this service.")
    with session_scope(engine, read_only=True) as session:
        key = users.find_api_key(session, match[1])
        fits = key is not None and secrets.compare_digest(key.digest_sha256, digest_token(text))
        if key is not None and fits:
            user = users.get_user(session, key.user_id)
            roles = users.list_roles(session, user.id) & {Role(scope) for scope in key.scopes}
    if key is None or not fits:
        with session_scope(engine) as session:
            audit.record(session, actor, audit.Tag.KEY_REFUSED, prefix=match[1])
        raise SignInFailed("The bearer key is unknown, revoked or expired.")
    if key.last_used_at is None or utc_now() - key.last_used_at > _NOTE_USE_AFTER:
        with session_scope(engine) as session:
            users.note_key_use(session, key.id)
    return Actor(user.id, user.name, roles, actor.request_id, "api_key", actor.address)
