"""Signing in: passwords tried, accounts locked, and the sessions of browsers.

These functions take an engine and own their transactions: a wrong password must be counted and
recorded although the request that brought it fails, and Argon2 must not run while a transaction
is open.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.base import utc_now
from db.models import User, WebSession
from db.queries import users, web
from db.session import session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor
from forensic.cases.passwords import is_password
from forensic.errors import SignInFailed

_REFUSAL = (
    "Name and password do not fit, or the account is locked for a while after wrong passwords, "
    "or it was closed. Ask an administrator for a new password if this goes on."
)
_KEPT = timedelta(days=1)
_TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class SessionPolicy:
    """How long sessions last, and when an account is locked."""

    lock_after: int
    lock_for: timedelta
    lifetime: timedelta
    idle: timedelta


@dataclass(frozen=True)
class SignedIn:
    """A person who has just signed in, and the token for their browser, which is not kept."""

    user: User
    token: str


def digest_token(token: str) -> str:
    """Return the SHA-256 under which a random token is known; it is too long to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(
    engine: Engine, actor: Actor, *, name: str, password: str, policy: SessionPolicy
) -> SignedIn:
    """Prove who is asking and begin a session.

    A locked account refuses the right password too. The audit keeps every attempt, but of an
    unknown name only its digest: people type passwords there.

    Raises:
        SignInFailed: Whatever is wrong, in the same words after the same time.
    """
    user = _read_user(engine, name)
    fits = is_password(password, user.password_digest if user else None)
    with session_scope(engine) as session:
        token = _settle(session, actor, name=name, user=user, fits=fits, policy=policy)
    if user is None or token is None:
        raise SignInFailed(_REFUSAL)
    return SignedIn(user, token)


def _read_user(engine: Engine, name: str) -> User | None:
    if "\x00" in name:
        return None
    with session_scope(engine, read_only=True) as session:
        return users.find_user(session, name)


def _settle(
    session: Session,
    actor: Actor,
    *,
    name: str,
    user: User | None,
    fits: bool,
    policy: SessionPolicy,
) -> str | None:
    """Count and record an attempt; return the token of a new session, None for a refusal."""
    if user is None:
        audit.record(
            session, actor, audit.Tag.LOGIN_FAILED, reason="unknown", name=digest_token(name)
        )
        return None
    now = users.get_user(session, user.id, lock=True)
    is_locked = now.locked_until_at is not None and now.locked_until_at > utc_now()
    if fits and now.is_active and not is_locked and now.password_digest == user.password_digest:
        return _begin(session, actor, now, policy)
    reason = "locked" if is_locked else "inactive" if not now.is_active else "password"
    audit.record(session, actor, audit.Tag.LOGIN_FAILED, reason=reason, user_id=now.id)
    if reason == "password":
        failed = users.record_failed_login(
            session, now.id, lock_after=policy.lock_after, lock_for=policy.lock_for
        )
        if failed % policy.lock_after == 0:
            audit.record(session, actor, audit.Tag.ACCOUNT_LOCKED, user_id=now.id, failed=failed)
    return None


def _begin(session: Session, actor: Actor, user: User, policy: SessionPolicy) -> str:
    token = secrets.token_urlsafe(32)
    users.record_login(session, user.id)
    web.delete_old(session, before=utc_now() - _KEPT)
    web.begin_session(
        session,
        user,
        token_sha256=digest_token(token),
        expires_at=utc_now() + policy.lifetime,
        address=actor.address,
    )
    person = replace(actor, user_id=user.id, name=user.name)
    audit.record(session, person, audit.Tag.LOGIN)
    return token


def renew(session: Session, actor: Actor, user: User, *, policy: SessionPolicy) -> str:
    """Begin a session for a person who has just proved themselves in another way."""
    return _begin(session, actor, user, policy)


def resume(engine: Engine, token: str, *, policy: SessionPolicy) -> tuple[WebSession, User] | None:
    """Return the session and person that a browser's token stands for, None where it is over."""
    since = utc_now() - policy.idle
    with session_scope(engine, read_only=True) as session:
        found = web.find_session(session, digest_token(token), seen_since=since)
    if found is not None and utc_now() - found[0].seen_at > _TOUCH_AFTER:
        with session_scope(engine) as session:
            web.touch_session(session, found[0].id)
    return found


def sign_out(engine: Engine, actor: Actor, token: str, *, policy: SessionPolicy) -> None:
    """End a session; one that is over already stays so."""
    with session_scope(engine) as session:
        found = web.find_session(session, digest_token(token), seen_since=utc_now() - policy.idle)
        if found is not None:
            web.end_session(session, found[0].id)
            audit.record(session, actor, audit.Tag.LOGOUT)
