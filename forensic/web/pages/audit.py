"""Pages of the audit: every event, and the proof that none was changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from db.models import AuditEvent
from db.queries.audit import Verification
from db.queries.cases import find_case
from db.queries.users import find_user
from forensic.cases import oversight
from forensic.cases.audit import Tag
from forensic.cases.permissions import Action, may
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import first_url, next_url, page_number
from forensic.web.pages.people import Names

blueprint = Blueprint("audit", __name__, url_prefix="/audit")
_TOLD_ELSEWHERE = frozenset({"by"})


@dataclass(frozen=True)
class Shown:
    """One event as the page shows it."""

    sequence: int
    recorded_at: datetime
    by: str
    tag: str
    details: Mapping[str, Any]
    hash: str


@blueprint.get("")
def index() -> ResponseReturnValue:
    """GET /audit: 200 events, newest first, of one case, person or kind where given."""
    return _render(None)


@blueprint.post("/verify")
def verify() -> ResponseReturnValue:
    """POST /audit/verify: 200 whether the whole chain holds, and where it does not."""
    return _render(oversight.verify(records.session(), current_actor()))


def _render(verification: Verification | None) -> ResponseReturnValue:
    actor, session = current_actor(), records.session()
    form = Form(request.args)
    wanted: dict[str, Any] = {}
    with form.attempt():
        wanted = _wanted(form)
    events: list[Shown] = []
    following = None
    if may(actor, Action.VIEW_AUDIT) or verification is None:
        page = oversight.list_events(session, actor, after=page_number(), **wanted)
        names = Names(session)
        events, following = [_shown(event, names) for event in page.rows], page.next_after
    return render_template(
        "audit.html.j2",
        form=form,
        events=events,
        verification=verification,
        tags=[tag.value for tag in Tag],
        can={"verify": may(actor, Action.VERIFY_AUDIT)},
        next_url=next_url(following),
        first_url=first_url(),
    )


def _wanted(form: Form) -> dict[str, Any]:
    """Return the filters; a case or person that is not there matches no event."""
    session = records.session()
    wanted: dict[str, Any] = {}
    if form.text("case"):
        case = find_case(session, form.text("case"))
        wanted["case_id"] = case.id if case else uuid.UUID(int=0)
    if form.text("actor"):
        user = find_user(session, form.text("actor"))
        wanted["by"] = str(user.id) if user else form.text("actor")
    if form.text("tag"):
        wanted["tag"] = form.text("tag")
    return wanted


def _shown(event: AuditEvent, names: Names) -> Shown:
    told = oversight.details(event)
    try:
        by = names[uuid.UUID(event.actor)]
    except ValueError:  # the service itself, or nobody who has signed in
        by = event.actor
    details = {name: value for name, value in told.items() if name not in _TOLD_ELSEWHERE}
    return Shown(event.sequence, event.recorded_at, by, event.tag, details, event.hash)
