"""Pages of cases: the list, opening one, its timeline, its people, and how long it is kept."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from db.models import Case, CaseStatus, Role, User
from db.queries import galleries as gallery_rows
from db.queries import users as user_rows
from db.queries.rows import PAGE_SIZE_MAX
from forensic.cases import lifecycle, probes, retention, searches
from forensic.cases.lifecycle import TimelineEntry
from forensic.cases.permissions import RULES, Action, may
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages import probe_forms
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done, first_url, next_url, page_key, page_number
from forensic.web.pages.people import Names

blueprint = Blueprint("cases", __name__, url_prefix="/cases")
TIMELINE_LENGTH = 60


@dataclass(frozen=True)
class Happened:
    """One line of a case's timeline.

    Attributes:
        tag: What was done.
        by: Who did it.
        at: When, for the last time.
        count: How many times in a row.
    """

    tag: str
    by: str
    at: datetime
    count: int


@blueprint.get("")
def index() -> ResponseReturnValue:
    """GET /cases: 200 the cases that the person may see."""
    actor = current_actor()
    given = request.args.get("status", "")
    status = CaseStatus(given) if given in set(CaseStatus) else None
    page = lifecycle.list_cases(records.session(), actor, status=status, after=page_key())
    return render_template(
        "cases.html.j2",
        cases=page.rows,
        status=given,
        next_url=next_url(page.next_after),
        first_url=first_url(),
        may_open=may(actor, Action.OPEN_CASE),
        sees_all=bool(actor.roles & RULES[Action.VIEW_CASE].unbound),
    )


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """GET, POST /cases/new: 200 the form, 303 opened, 422 refused."""
    form = Form(request.form)
    if request.method == "POST":
        with form.attempt():
            case = lifecycle.open_case(
                records.session(),
                current_actor(),
                number=form.text("number"),
                offence=form.text("offence"),
                legal_basis=form.text("legal_basis"),
                purpose=form.text("purpose"),
                retain_until_on=form.day("retain_until_on"),
            )
            return done("opened", "pages.cases.show", case_id=case.id)
    return render_template("case_new.html.j2", form=form), form.status


@blueprint.get("/<uuid:case_id>")
def show(case_id: uuid.UUID) -> ResponseReturnValue:
    """GET /cases/ID: 200 the case with its timeline, 404."""
    case = lifecycle.get_case(records.session(), current_actor(), case_id)
    return render_case(case, probe_forms.empty())


def render_case(case: Case, form: Form) -> ResponseReturnValue:
    """Return the page of a case, with the form that adds a sketch."""
    actor, session = current_actor(), records.session()
    page = lifecycle.timeline(
        session, actor, case.id, after=page_number("before"), limit=TIMELINE_LENGTH
    )
    is_open = case.status is CaseStatus.OPEN
    can = {
        "seal": is_open and may(actor, Action.SEAL_PROBE),
        "search": is_open and may(actor, Action.SEARCH),
        "review": may(actor, Action.REVIEW),
        "assign": may(actor, Action.ASSIGN),
        "close": may(actor, Action.CLOSE_CASE),
        "hold": may(actor, Action.HOLD_CASE),
    }
    members = lifecycle.list_members(session, actor, case.id)
    return render_template(
        "case.html.j2",
        case=case,
        can=can,
        form=form,
        members=members,
        assignable=_assignable({member.user_id for member in members}) if can["assign"] else [],
        people=Names(session),
        probes=probes.list_probes(session, actor, case.id).rows,
        searches=searches.list_searches(session, actor, case.id).rows,
        galleries=_gallery_names(),
        events=_grouped(page.rows),
        older_url=next_url(page.next_after, "before"),
        **probe_forms.context(),
    ), form.status


@blueprint.post("/<uuid:case_id>/assign")
def assign(case_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/assign: 303 assigned, 404, 422."""
    user_id = Form(request.form).key("user_id")
    lifecycle.assign(records.session(), current_actor(), case_id, user_id)
    return done("assigned", "pages.cases.show", case_id=case_id)


@blueprint.post("/<uuid:case_id>/unassign/<uuid:user_id>")
def unassign(case_id: uuid.UUID, user_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/unassign/USER: 303 removed, 404, 409 for the last one."""
    lifecycle.unassign(records.session(), current_actor(), case_id, user_id)
    return done("removed", "pages.cases.show", case_id=case_id)


@blueprint.post("/<uuid:case_id>/close")
def close(case_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/close: 303 closed, 404, 422 without a reason."""
    lifecycle.close(records.session(), current_actor(), case_id, reason=_reason())
    return done("closed", "pages.cases.show", case_id=case_id)


@blueprint.post("/<uuid:case_id>/reopen")
def reopen(case_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/reopen: 303 open again, 404, 409 after expunging."""
    lifecycle.reopen(records.session(), current_actor(), case_id, reason=_reason())
    return done("reopened", "pages.cases.show", case_id=case_id)


@blueprint.post("/<uuid:case_id>/hold")
def hold(case_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/hold: 303 the legal hold is set, 404, 422 without a reason."""
    retention.set_legal_hold(records.session(), current_actor(), case_id, reason=_reason())
    if request.form.get("from") == "retention":  # administrators see no case
        return done("held", "pages.cases.retention")
    return done("held", "pages.cases.show", case_id=case_id)


@blueprint.post("/<uuid:case_id>/release")
def release(case_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/release: 303 the legal hold is released, 404."""
    retention.set_legal_hold(records.session(), current_actor(), case_id, reason=None)
    return done("released", "pages.cases.show", case_id=case_id)


@blueprint.get("/retention", endpoint="retention")
def due() -> ResponseReturnValue:
    """GET /cases/retention: 200 the cases that may no longer be kept, for administrators."""
    page = retention.due_for_retention(records.session(), current_actor(), after=page_key())
    return render_template(
        "retention.html.j2",
        cases=page.rows,
        next_url=next_url(page.next_after),
        first_url=first_url(),
    )


@blueprint.post("/<uuid:case_id>/expunge")
def expunge(case_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/expunge: 303 expunged, 404, 409 under legal hold, 422 without a reason."""
    retention.expunge(records.session(), current_actor(), case_id, reason=_reason())
    return done("expunging", "pages.cases.retention")


def _grouped(entries: Sequence[TimelineEntry]) -> list[Happened]:
    """Return what was done, with repetitions by the same person told once."""
    runs = groupby(entries, key=lambda entry: (entry.tag, entry.by))
    found = []
    for (tag, by), run in runs:
        several = list(run)
        found.append(Happened(tag, by, several[0].at, len(several)))
    return found


def _reason() -> str:
    return Form(request.form).text("reason")


def _assignable(members: set[uuid.UUID]) -> list[User]:
    """Return those who could be assigned and are not."""
    session = records.session()
    people = user_rows.list_users(session, limit=PAGE_SIZE_MAX).rows
    return [
        person
        for person in people
        if person.is_active
        and person.id not in members
        and user_rows.list_roles(session, person.id) & {Role.INVESTIGATOR, Role.EXAMINER}
    ]


def _gallery_names() -> dict[uuid.UUID, str]:
    rows = gallery_rows.list_galleries(records.session(), limit=PAGE_SIZE_MAX).rows
    return {gallery.id: gallery.name for gallery in rows}
