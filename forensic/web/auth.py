"""Who is asking: browser sessions with CSRF tokens, and bearer keys."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import cast

import flask
from flask import Flask, g, request

from db.models import User
from db.queries import users
from db.session import session_scope
from forensic.cases import accounts, keys, sessions
from forensic.cases.actor import Actor, anonymous_actor
from forensic.cases.sessions import SessionPolicy
from forensic.errors import CaseError, NotSignedIn
from forensic.web import records

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_TO_ONE_TIME_PASSWORDS = frozenset(
    {"/password", "/sign-out", "/sign-in", "/api/v1/session", "/api/v1/session/password"}
)
"""Where someone may go who must change their password first."""
WITHOUT_PEOPLE = frozenset({"static", "metrics.metrics"})
"""Endpoints that nobody signs in for; the figures have a key of their own."""
SIGN_IN_PATHS = frozenset({"/sign-in", "/api/v1/session"})
_SIGN_IN_BY_API = "/api/v1/session"
_TOKEN, _CSRF = "token", "csrf"


class CsrfFailed(CaseError):
    """A request that changes something does not show the token of its session."""


class PasswordChangeRequired(CaseError):
    """The one-time password must be changed before anything else."""


def register(app: Flask) -> None:
    """Make every request of the app know who is asking."""
    app.before_request(identify)
    app.jinja_env.globals["csrf_token"] = csrf_token


def protect(app: Flask) -> None:
    """Refuse forged and hasty requests; it reads forms, so their size must be bounded before."""
    app.before_request(refuse_forgery)


def policy() -> SessionPolicy:
    """Return how long sessions last and when accounts are locked, as the settings say."""
    chosen = records.settings()
    return SessionPolicy(
        lock_after=chosen.lock_after,
        lock_for=timedelta(minutes=chosen.lock_minutes),
        lifetime=timedelta(minutes=chosen.session_minutes),
        idle=timedelta(minutes=chosen.idle_minutes),
    )


def asker() -> Actor:
    """Return who is asking, `anonymous` before sign-in."""
    return cast(Actor, g.get("actor") or _anonymous())


def current_actor() -> Actor:
    """Return the person who is asking.

    Raises:
        NotSignedIn: Nobody has signed in.
    """
    actor = asker()
    if actor.user_id is None:
        raise NotSignedIn("Sign in first.")
    return actor


def must_change_password() -> bool:
    """Answer whether the person who is asking must change a one-time password first."""
    return bool(g.get("must_change_password", False))


def sign_in(name: str, password: str) -> User:
    """Prove who is asking and begin a new browser session; an old one is left behind.

    Raises:
        SignInFailed: Name and password do not fit, or the account is locked or closed.
    """
    signed_in = sessions.sign_in(
        records.service().engine, asker(), name=name, password=password, policy=policy()
    )
    _begin(signed_in.token)
    return signed_in.user


def sign_out() -> None:
    """End the browser session."""
    token = flask.session.get(_TOKEN)
    if isinstance(token, str):
        sessions.sign_out(records.service().engine, asker(), token, policy=policy())
    flask.session.clear()


def change_password(old: str, new: str) -> None:
    """Replace the asker's password; every other session of theirs ends.

    Raises:
        NotSignedIn: Nobody has signed in.
        SignInFailed: The old password is wrong.
        PasswordRejected: The new one may not be used.
    """
    actor, chosen = current_actor(), records.settings()
    user = accounts.change_password(
        records.session(), actor, old=old, new=new, length_min=chosen.password_length_min
    )
    _begin(sessions.renew(records.session(), actor, user, policy=policy()))


def csrf_token() -> str:
    """Return what each form and script of this browser session must show."""
    if _CSRF not in flask.session:
        flask.session[_CSRF] = secrets.token_urlsafe(24)
    return str(flask.session[_CSRF])


def _begin(token: str) -> None:
    # Nothing of what the browser held before is taken over: no session can be planted.
    flask.session.clear()
    flask.session[_TOKEN] = token
    flask.session.permanent = False


def _anonymous() -> Actor:
    return anonymous_actor(request_id=g.get("request_id"), address=request.remote_addr)


def identify() -> None:
    """Find out who is asking.

    Raises:
        SignInFailed: A bearer key is given that is none.
        NotSignedIn: The header names another scheme.
    """
    if request.endpoint in WITHOUT_PEOPLE:
        return
    g.actor = _anonymous()
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise NotSignedIn("The Authorization header is not 'Bearer' and an API key.")
        g.actor = keys.authenticate(records.service().engine, g.actor, key.strip())
        return
    _resume()


def refuse_forgery() -> None:
    """Refuse a request that someone else made up in the name of a browser's owner.

    Raises:
        NotSignedIn: The request changes something and nobody has signed in.
        CsrfFailed: The request changes something and shows no token.
        PasswordChangeRequired: A one-time password is still in use.
    """
    if request.endpoint in WITHOUT_PEOPLE or asker().via == "api_key":
        return  # a bearer key travels in no browser by itself
    if request.routing_exception is not None:
        return  # there is no such address or method: that is the answer
    is_unsafe = request.method not in SAFE_METHODS
    if is_unsafe and asker().user_id is None and request.path not in SIGN_IN_PATHS:
        raise NotSignedIn("Sign in first.")  # before any of the body is read
    if is_unsafe and not _shows_token():
        raise CsrfFailed(
            "The form is too old or comes from another site; load the page again. "
            "Programs show X-CSRF-Token, or a bearer key instead of a cookie."
        )
    if must_change_password() and request.path not in OPEN_TO_ONE_TIME_PASSWORDS:
        raise PasswordChangeRequired("Change the one-time password first.")


def _resume() -> None:
    token = flask.session.get(_TOKEN)
    if not isinstance(token, str):
        return
    engine = records.service().engine
    found = sessions.resume(engine, token, policy=policy())
    if found is None:
        flask.session.clear()
        return
    user = found[1]
    with session_scope(engine, read_only=True) as session:
        roles = users.list_roles(session, user.id)
    before = g.actor
    g.actor = Actor(user.id, user.name, roles, before.request_id, "session", before.address)
    g.must_change_password = user.must_change_password


def _shows_token() -> bool:
    if request.path == _SIGN_IN_BY_API and request.method == "POST" and request.is_json:
        return True  # no other site can send JSON here: browsers ask first, and are not allowed
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    expected = flask.session.get(_CSRF, "")
    return bool(expected) and secrets.compare_digest(given.encode(), str(expected).encode())
