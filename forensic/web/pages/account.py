"""Pages of one's own account: signing in and out, the password, API keys."""

from __future__ import annotations

import uuid
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from db.base import utc_now
from forensic.cases import keys as key_service
from forensic.errors import RequestRefused
from forensic.web import auth, records
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done, find_home

blueprint = Blueprint("account", __name__)
KEY_DAYS_MAX = 365


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """GET /: 302 to the first page that the person may see, or to signing in."""
    return redirect(find_home(auth.current_actor()))


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """GET, POST /sign-in: 200 the form, 303 signed in, 422 refused."""
    form = Form(request.form)
    if request.method == "POST":
        with form.attempt():
            user = auth.sign_in(form.text("name"), form.values.get("password", ""))
            if user.must_change_password:
                return redirect("/password", 303)
            return redirect(_local(form.text("next")), 303)
    following = form.text("next") or request.args.get("next", "")
    page = render_template("sign_in.html.j2", form=form, next_path=_local(following))
    return page, form.status


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """POST /sign-out: 303 to signing in."""
    auth.sign_out()
    return done("signed-out", "pages.account.sign_in")


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """GET, POST /password: 200 the form, 303 changed, 422 refused."""
    actor = auth.current_actor()
    form = Form(request.form)
    if request.method == "POST":
        with form.attempt():
            auth.change_password(form.values.get("old", ""), _new_password(form))
            return redirect(f"{find_home(actor)}?said=password", 303)
    page = render_template(
        "password.html.j2",
        form=form,
        must_change=auth.must_change_password(),
        least=records.settings().password_length_min,
    )
    return page, form.status


@blueprint.route("/keys", methods=["GET", "POST"])
def keys() -> ResponseReturnValue:
    """GET, POST /keys: 200 one's API keys and, once, a new one; 422 refused."""
    actor, session = auth.current_actor(), records.session()
    form, new_key = Form(request.form, days="90"), None
    if request.method == "POST":
        with form.attempt():
            days = _key_days(form)
            _, new_key = key_service.create_key(
                session,
                actor,
                label=form.text("label"),
                scopes=actor.roles,
                expires_at=utc_now() + timedelta(days=days),
            )
    mine = key_service.list_keys(session, actor)
    return render_template("keys.html.j2", form=form, keys=mine, new_key=new_key), form.status


@blueprint.post("/keys/<uuid:key_id>/revoke")
def revoke_key(key_id: uuid.UUID) -> ResponseReturnValue:
    """POST /keys/ID/revoke: 303 revoked, 404."""
    key_service.revoke_key(records.session(), auth.current_actor(), key_id)
    return done("revoked", "pages.account.keys")


def _local(path: str) -> str:
    """Return a path of this site, `/` for anything else: no form leads people elsewhere."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_local and path.isprintable() else "/"


def _new_password(form: Form) -> str:
    new = form.values.get("new", "")
    if new != form.values.get("again", ""):
        raise RequestRefused("The two new passwords differ.", field="again")
    return new


def _key_days(form: Form) -> int:
    days = form.whole("days") or 0
    if not 1 <= days <= KEY_DAYS_MAX:
        raise RequestRefused(f"Give 1 to {KEY_DAYS_MAX} days.", field="days")
    return days
