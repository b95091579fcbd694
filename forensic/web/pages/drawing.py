"""The drawing board: a canvas, and the face made live from what is drawn on it."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from db.models import Case
from forensic.cases import lifecycle
from forensic.cases.permissions import Action, check
from forensic.errors import ImageError, JobError
from forensic.images.io import decode_image
from forensic.jobs import preview as worker
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages import probe_forms
from forensic.web.pages.forms import Form
from forensic.web.problems import Problem

blueprint = Blueprint("drawing", __name__)


@blueprint.get("/draw")
def board() -> ResponseReturnValue:
    """GET /draw: 200 a board whose drawing is not kept."""
    check(current_actor(), Action.PREVIEW)
    return _render(None)


@blueprint.get("/cases/<uuid:case_id>/draw")
def board_of_case(case_id: uuid.UUID) -> ResponseReturnValue:
    """GET /cases/ID/draw: 200 a board whose drawing can be sealed into the case, 404."""
    actor = current_actor()
    check(actor, Action.SEAL_PROBE)
    return _render(lifecycle.get_case(records.session(), actor, case_id))


@blueprint.post("/draw/preview")
def preview() -> ResponseReturnValue:
    """POST /draw/preview: 200 PNG for PNG, 422 no picture, 503 no worker; nothing is kept."""
    check(current_actor(), Action.PREVIEW)
    settings = records.settings()
    try:
        drawing = request.get_data()
        decode_image(drawing, name="the drawing")
        face = worker.ask(drawing, port=settings.worker_port, token=settings.preview_token)
    except ImageError as error:
        return Problem(422, "image_refused", str(error)).response()
    except JobError as error:
        return Problem(503, "worker_unavailable", str(error)).response()
    return Response(face, mimetype="image/png")


def _render(case: Case | None) -> ResponseReturnValue:
    form: Form = probe_forms.empty()
    return render_template("draw.html.j2", case=case, form=form)
