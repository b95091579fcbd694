"""Pages of a sketch: sealing it, its landmarks and their editor, its renditions."""

from __future__ import annotations

import uuid

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from db.models import CaseStatus, LandmarkVersion, Probe, ProbeKind
from forensic.cases import jobs, landmarks, lifecycle, probes, renditions
from forensic.cases.jobs import JobKind
from forensic.cases.permissions import Action, may
from forensic.jobs.preview import TEMPLATE_POINTS
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages import cases
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done
from forensic.web.pages.offers import offered_generators
from forensic.web.pages.people import Names
from forensic.web.pages.pictures import picture
from forensic.web.security import uploads

blueprint = Blueprint("probes", __name__)

POINT_NAMES = (
    ("Eye on the left of the picture", "eye"),
    ("Eye on the right of the picture", "eye"),
    ("Tip of the nose", "nose"),
    ("Corner of the mouth on the left", "mouth"),
    ("Corner of the mouth on the right", "mouth"),
)
STARTING_POINTS = ((0.36, 0.42), (0.64, 0.42), (0.5, 0.57), (0.39, 0.71), (0.61, 0.71))
"""Where points wait to be placed when no face was found: shares of width and height. Those of the
drawing board follow its template instead."""


@blueprint.post("/cases/<uuid:case_id>/probes")
@uploads("sketch")
def seal(case_id: uuid.UUID) -> ResponseReturnValue:
    """POST /cases/ID/probes: 303 sealed, 404, 413, 422 the form again."""
    form = Form(request.form)
    actor, session = current_actor(), records.session()
    with form.attempt():
        file = request.files.get("sketch")
        probe, is_new = probes.seal_probe(
            session,
            actor,
            case_id,
            data=file.read() if file else b"",
            store=records.store(),
            kind=form.one_of("kind", ProbeKind),
            source=form.text("source"),
            artist=form.text("artist"),
            interviewed_on=form.day("interviewed_on"),
            person_label=form.text("person_label"),
            note=form.text("note"),
        )
        code = "sealed" if is_new else "known"
        return done(code, "pages.probes.show", probe_id=probe.id)
    return cases.render_case(lifecycle.get_case(session, actor, case_id), form)


@blueprint.get("/probes/<uuid:probe_id>")
def show(probe_id: uuid.UUID) -> ResponseReturnValue:
    """GET /probes/ID: 200 the sketch, its landmarks and renditions, 404."""
    return _render(probes.get_probe(records.session(), current_actor(), probe_id), Form())


@blueprint.post("/probes/<uuid:probe_id>/landmarks")
def place(probe_id: uuid.UUID) -> ResponseReturnValue:
    """POST /probes/ID/landmarks: 303 a new version, 404, 422 the page again."""
    form = Form(request.form)
    actor, session = current_actor(), records.session()
    with form.attempt():
        points = [(form.number(f"x{i}"), form.number(f"y{i}")) for i in range(5)]
        based_on = form.whole("based_on")
        landmarks.place(session, actor, probe_id, points, based_on=based_on)
        return done("placed", "pages.probes.show", probe_id=probe_id)
    return _render(probes.get_probe(session, actor, probe_id), form)


@blueprint.post("/probes/<uuid:probe_id>/renditions")
def render(probe_id: uuid.UUID) -> ResponseReturnValue:
    """POST /probes/ID/renditions: 303 asked for, 404, 422 the page again."""
    form = Form(request.form)
    actor, session = current_actor(), records.session()
    with form.attempt():
        renditions.request(session, actor, probe_id, generators=form.chosen("generators"))
        return done("asked", "pages.probes.show", probe_id=probe_id)
    return _render(probes.get_probe(session, actor, probe_id), form)


@blueprint.post("/probes/<uuid:probe_id>/withdraw")
def withdraw(probe_id: uuid.UUID) -> ResponseReturnValue:
    """POST /probes/ID/withdraw: 303 withdrawn, 404, 422 without a reason."""
    reason = Form(request.form).text("reason")
    probes.withdraw(records.session(), current_actor(), probe_id, reason=reason)
    return done("withdrawn", "pages.probes.show", probe_id=probe_id)


@blueprint.get("/probes/<uuid:probe_id>/sketch")
def sketch(probe_id: uuid.UUID) -> ResponseReturnValue:
    """GET /probes/ID/sketch: 200 the picture, as sealed or as PNG for a browser, 404."""
    data, media_type = probes.sketch_bytes(
        records.session(), current_actor(), probe_id, store=records.store()
    )
    return picture(data, media_type)


@blueprint.get("/renditions/<uuid:rendition_id>/image")
def rendition(rendition_id: uuid.UUID) -> ResponseReturnValue:
    """GET /renditions/ID/image: 200 the labelled face as PNG, 404."""
    data = renditions.image_bytes(
        records.session(), current_actor(), rendition_id, store=records.store()
    )
    return picture(data, "image/png")


def _render(probe: Probe, form: Form) -> ResponseReturnValue:
    actor, session = current_actor(), records.session()
    case = lifecycle.get_case(session, actor, probe.case_id)
    versions = list(reversed(landmarks.list_versions(session, actor, probe.id).rows))
    latest = versions[0] if versions else None
    running = [
        job
        for job in jobs.list_of_case(session, actor, case.id).rows
        if job.ended_at is None and job.parameters.get("probe_id") == str(probe.id)
    ]
    is_finding = any(job.kind == JobKind.LANDMARKS for job in running)
    is_open = case.status is CaseStatus.OPEN and probe.withdrawn_at is None
    can = {
        "place": is_open and may(actor, Action.PLACE_LANDMARKS),
        "render": is_open and may(actor, Action.RENDER),
        "search": is_open and latest is not None and may(actor, Action.SEARCH),
        "withdraw": is_open and may(actor, Action.SEAL_PROBE),
    }
    return render_template(
        "probe.html.j2",
        probe=probe,
        case=case,
        form=form,
        can=can,
        landmarks=latest,
        versions=versions,
        finding=is_finding,
        jobs=running,
        points=_points(probe, latest, form) if latest or not is_finding else None,
        point_names=POINT_NAMES,
        people=Names(session),
        renditions=renditions.list_renditions(session, actor, probe.id).rows,
        generators=offered_generators(),
    ), form.status


def _points(
    probe: Probe, latest: LandmarkVersion | None, form: Form
) -> list[tuple[float, float]] | None:
    """Return the points to show: those just sent, else the latest, else a start."""
    if probe.expunged_at is not None:
        return None
    try:
        return [(float(form.values[f"x{i}"]), float(form.values[f"y{i}"])) for i in range(5)]
    except (KeyError, ValueError):
        pass
    if latest is not None:
        return [(x, y) for x, y in latest.points]
    start = TEMPLATE_POINTS if probe.kind is ProbeKind.FREEHAND else STARTING_POINTS
    return [(x * probe.width_px, y * probe.height_px) for x, y in start]
