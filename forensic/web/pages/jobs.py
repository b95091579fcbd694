"""Pages of background work: how far it is, how it ended, which files were rejected."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue

from db.models import ItemState, Job, JobItem
from forensic.cases import jobs
from forensic.cases.jobs import JobKind
from forensic.cases.permissions import Action, may
from forensic.cases.rejected import rejected_csv
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.frame import done, first_url, next_url, page_number
from forensic.web.pages.people import Names
from forensic.web.pages.words import state_words

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs/<uuid:job_id>")


@blueprint.get("")
def show(job_id: uuid.UUID) -> ResponseReturnValue:
    """GET /jobs/ID: 200 the job and its rejected files, 404."""
    actor, session = current_actor(), records.session()
    job = jobs.get(session, actor, job_id)
    items, following = _rejected(job)
    return render_template(
        "job.html.j2",
        job=job,
        items=items,
        next_url=next_url(following),
        first_url=first_url(),
        can={"cancel": may(actor, Action.CANCEL_JOB)},
        people=Names(session),
        **_back(job),
    )


@blueprint.get("/state")
def state(job_id: uuid.UUID) -> ResponseReturnValue:
    """GET /jobs/ID/state: 200 JSON that the page's script asks for again and again, 404."""
    job = jobs.watch(records.session(), current_actor(), job_id)
    return {
        "state": job.state.value,
        "done": job.done,
        "total": job.total,
        "ended": job.ended_at is not None,
        "words": state_words(job),
    }


@blueprint.post("/cancel")
def cancel(job_id: uuid.UUID) -> ResponseReturnValue:
    """POST /jobs/ID/cancel: 303 cancelled, 404, 409 when it has ended."""
    jobs.cancel(records.session(), current_actor(), job_id)
    return done("cancelled", "pages.jobs.show", job_id=job_id)


@blueprint.get("/rejected.csv")
def rejected(job_id: uuid.UUID) -> ResponseReturnValue:
    """GET /jobs/ID/rejected.csv: 200 every rejected file with its reason, 404."""
    session = records.session()
    jobs.items(session, current_actor(), job_id, state=ItemState.REJECTED, limit=1)
    text = "".join(rejected_csv(session, job_id))
    answer = Response(text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="rejected-{job_id}.csv"'
    return answer


def _rejected(job: Job) -> tuple[list[JobItem] | None, Any]:
    """Return the rejected files of an import, None for other work or other people."""
    actor = current_actor()
    if job.kind != JobKind.IMPORT or not may(actor, Action.VIEW_SUBJECTS):
        return None, None
    page = jobs.items(
        records.session(), actor, job.id, state=ItemState.REJECTED, after=page_number()
    )
    return list(page.rows), page.next_after


def _back(job: Job) -> dict[str, str | None]:
    """Return where a job belongs."""
    actor = current_actor()
    if job.case_id is not None and may(actor, Action.VIEW_CASE):
        url = url_for("pages.cases.show", case_id=job.case_id)
        return {"back_url": url, "back_label": "To the case"}
    if job.gallery_id is not None and may(actor, Action.VIEW_GALLERY):
        url = url_for("pages.galleries.show", gallery_id=job.gallery_id)
        return {"back_url": url, "back_label": "To the gallery"}
    return {"back_url": None, "back_label": None}
