"""Pages of a case's reports: asking for them, and handing them out."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from db.models import JobState
from forensic.cases import jobs, lifecycle, reports
from forensic.cases.jobs import JobKind
from forensic.cases.permissions import Action, check, may
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done, first_url, next_url, page_key
from forensic.web.pages.people import Names

blueprint = Blueprint("reports", __name__)

FORMATS = (
    ("pdf", "PDF", "for the file"),
    ("html", "HTML", "one page that stands alone"),
    ("json", "JSON", "for programs"),
    ("csv", "CSV", "the candidates as a table"),
    ("zip", "ZIP", "everything, with a manifest of SHA-256"),
)


@blueprint.route("/cases/<uuid:case_id>/reports", methods=["GET", "POST"])
def index(case_id: uuid.UUID) -> ResponseReturnValue:
    """GET, POST /cases/ID/reports: 200 the reports, 303 asked for, 404, 422 refused."""
    actor, session = current_actor(), records.session()
    check(actor, Action.VIEW_REPORT)
    case = lifecycle.get_case(session, actor, case_id)
    form = Form(request.form, formats=["pdf", "zip"])
    if request.method == "POST":
        with form.attempt():
            reports.request(session, actor, case_id, formats=form.chosen("formats"))
            return done("asked", ".index", case_id=case_id)
    asked = [
        job for job in jobs.list_of_case(session, actor, case_id).rows if job.kind == JobKind.REPORT
    ]
    page = reports.list_reports(session, actor, case_id, after=page_key())
    return render_template(
        "reports.html.j2",
        case=case,
        form=form,
        reports=page.rows,
        formats=FORMATS,
        running=[job for job in asked if job.ended_at is None],
        failed=asked[0] if asked and asked[0].state is JobState.FAILED else None,
        can={"write": may(actor, Action.WRITE_REPORT)},
        people=Names(session),
        next_url=next_url(page.next_after),
        first_url=first_url(),
    ), form.status


@blueprint.get("/reports/<uuid:report_id>")
def download(report_id: uuid.UUID) -> ResponseReturnValue:
    """GET /reports/ID: 200 the file as it was written, 404, 409 for a blind examiner."""
    data, media_type, name = reports.report_bytes(
        records.session(), current_actor(), report_id, store=records.store()
    )
    answer = Response(data, mimetype=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
