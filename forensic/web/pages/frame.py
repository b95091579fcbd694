"""What every page is framed by: who looks at it, where they may go, and what was just done."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask, redirect, request, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.wrappers import Response

from db.models import Role
from forensic import __version__
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action, may
from forensic.errors import NotSignedIn
from forensic.values import LEAD_ONLY
from forensic.web.auth import csrf_token, current_actor
from forensic.web.pages.words import FILTERS, MESSAGES, plain

_PLACES = (
    ("Cases", "pages.cases.index", Action.VIEW_CASE),
    ("Draw", "pages.drawing.board", Action.PREVIEW),
    ("Galleries", "pages.galleries.index", Action.VIEW_GALLERY),
    ("Benchmarks", "pages.benchmarks.index", Action.VIEW_BENCHMARK),
    ("Models", "pages.models.index", Action.VIEW_MODELS),
    ("Retention", "pages.cases.retention", Action.EXPUNGE_CASE),
    ("Users", "pages.users.index", Action.MANAGE_USERS),
    ("Audit", "pages.audit.index", Action.VIEW_AUDIT),
)
_UNDER = {"probes": "cases", "searches": "cases", "review": "cases", "reports": "cases"}
"""Where in the bar a page stands that has no place of its own."""

_FILTERS = ("status", "case", "actor", "tag")
"""What narrows a list down and must stay in the addresses of its pages; nothing else is copied."""
_NUMBER_MOST = 2**63 - 1


@dataclass(frozen=True)
class Place:
    """One entry of the bar."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class Viewer:
    """Who looks at the page, as the page shows it."""

    is_signed_in: bool
    name: str
    roles: tuple[str, ...]
    navigation: tuple[Place, ...]
    messages: tuple[str, ...]


def frame(app: Flask) -> None:
    """Give an app's templates their filters and the context of every page."""
    environment = app.jinja_env
    environment.autoescape = True  # the templates end in .j2, which Flask would not escape
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(FILTERS)
    environment.globals.update(notice=LEAD_ONLY, version=__version__, csrf_field=_csrf_field)
    app.context_processor(lambda: {"viewer": _viewer()})


def find_home(actor: Actor) -> str:
    """Return the address of the first page of the bar that the person may see."""
    for _, endpoint, action in _PLACES:
        if may(actor, action):
            return url_for(endpoint)
    return url_for("pages.account.password")


def done(code: str, endpoint: str, **where: Any) -> Response:
    """Redirect after a change, to a page that says what was done."""
    return redirect(url_for(endpoint, said=code, **where), code=303)


def next_url(next_after: object | None, name: str = "after") -> str | None:
    """Return the address of the next page of the list being shown."""
    if next_after is None or request.endpoint is None:
        return None
    where = {**_where(name), name: str(next_after)}
    return url_for(request.endpoint, **where)


def first_url(name: str = "after") -> str | None:
    """Return the address of the list's beginning, None where one is there."""
    if name not in request.args or request.endpoint is None:
        return None
    return url_for(request.endpoint, **_where(name))


def page_key(name: str = "after") -> uuid.UUID | None:
    """Return after which record the shown part of a list begins; a malformed one means none."""
    try:
        return uuid.UUID(request.args[name])
    except (KeyError, ValueError):
        return None


def page_number(name: str = "after") -> int | None:
    """As `page_key`, for lists in the order of a number."""
    given = request.args.get(name, type=int)
    return given if given is not None and 0 <= given <= _NUMBER_MOST else None


def _where(name: str) -> dict[str, Any]:
    """Return the parts of the present address, but for the place in the list."""
    kept = {key: request.args[key] for key in _FILTERS if key in request.args and key != name}
    return {**(request.view_args or {}), **kept}


def _csrf_field() -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(csrf_token())


def _viewer() -> Viewer:
    said = MESSAGES.get(request.args.get("said", ""))
    messages = (said,) if said else ()
    try:
        actor = current_actor()
    except NotSignedIn:
        return Viewer(False, "", (), (), messages)
    here = request.endpoint or ""
    places = tuple(
        Place(label, url_for(endpoint), endpoint == request.endpoint or _is_over(endpoint, here))
        for label, endpoint, action in _PLACES
        if may(actor, action)
    )
    roles = tuple(plain(role) for role in Role if role in actor.roles)
    return Viewer(True, actor.name, roles, places, messages)


def _is_over(endpoint: str, here: str) -> bool:
    """Answer whether a place of the bar is the one that a page without its own belongs to."""
    if here in {own for _, own, _ in _PLACES}:
        return False
    kind = here.split(".")[1] if here.startswith("pages.") else ""
    return endpoint.split(".")[1:] in ([_UNDER.get(kind, kind), "index"], [kind, "board"])
