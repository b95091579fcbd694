"""Pages of accounts, for administrators: who may sign in, and as what."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from db.base import utc_now
from db.models import Role
from forensic.cases import accounts
from forensic.cases.permissions import Action, check
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done, first_url, next_url, page_key

blueprint = Blueprint("users", __name__, url_prefix="/users")

ROLES = (
    (Role.INVESTIGATOR, "opens cases, seals sketches, searches, writes reports"),
    (Role.EXAMINER, "reviews candidates, blind and independently; adjudicates"),
    (Role.GALLERY_MANAGER, "imports and expunges photos; sees no case"),
    (Role.AUDITOR, "reads every case and the audit; changes nothing"),
    (Role.ADMINISTRATOR, "manages accounts and retention; sees no case"),
)


@dataclass(frozen=True)
class OneTime:
    """A password that is shown once."""

    name: str
    password: str


@blueprint.route("", methods=["GET", "POST"])
def index() -> ResponseReturnValue:
    """GET, POST /users: 200 everybody and, once, a new one-time password; 422 refused."""
    actor, session = current_actor(), records.session()
    check(actor, Action.MANAGE_USERS)
    form, one_time = Form(request.form), None
    if request.method == "POST":
        with form.attempt():
            person, password = accounts.add_user(
                session,
                actor,
                name=form.text("name"),
                full_name=form.text("full_name"),
                roles=_roles(form),
            )
            one_time, form = OneTime(person.user.name, password), Form()
    page = accounts.list_users(session, actor, after=page_key())
    return render_template(
        "users.html.j2",
        form=form,
        one_time=one_time,
        people=page.rows,
        next_url=next_url(page.next_after),
        first_url=first_url(),
        all_roles=ROLES,
        now=utc_now(),
    ), form.status


@blueprint.get("/<uuid:user_id>")
def show(user_id: uuid.UUID) -> ResponseReturnValue:
    """GET /users/ID: 200 one account, 404."""
    return _render(user_id)


@blueprint.post("/<uuid:user_id>/roles")
def set_roles(user_id: uuid.UUID) -> ResponseReturnValue:
    """POST /users/ID/roles: 303 saved, 404, 409 for one's own administration."""
    roles = _roles(Form(request.form))
    accounts.update_user(records.session(), current_actor(), user_id, roles=roles)
    return done("saved", "pages.users.show", user_id=user_id)


@blueprint.post("/<uuid:user_id>/active")
def set_active(user_id: uuid.UUID) -> ResponseReturnValue:
    """POST /users/ID/active: 303 saved, 404, 409 for one's own account."""
    is_active = request.form.get("active") == "yes"
    accounts.update_user(records.session(), current_actor(), user_id, is_active=is_active)
    return done("saved", "pages.users.show", user_id=user_id)


@blueprint.post("/<uuid:user_id>/password")
def reset(user_id: uuid.UUID) -> ResponseReturnValue:
    """POST /users/ID/password: 200 the page with a one-time password, shown once; 404."""
    person, password = accounts.reset_password(records.session(), current_actor(), user_id)
    return _render(user_id, OneTime(person.user.name, password))


def _roles(form: Form) -> set[Role]:
    known = {role.value: role for role in Role}
    return {known[value] for value in form.chosen("roles") if value in known}


def _render(user_id: uuid.UUID, one_time: OneTime | None = None) -> ResponseReturnValue:
    actor = current_actor()
    check(actor, Action.MANAGE_USERS)
    person = accounts.get_user(records.session(), actor, user_id)
    return render_template(
        "user.html.j2",
        user=person.user,
        roles=person.roles,
        one_time=one_time,
        all_roles=ROLES,
        now=utc_now(),
    )
