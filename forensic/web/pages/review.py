"""Pages of the review: the workbench, one candidate at a time, and adjudication."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from db.models import LandmarkVersion, Probe, Rendition, SearchInput, Verdict
from db.queries.rows import get_row
from forensic.cases import conclusions, leads, lifecycle, reviews, searches
from forensic.cases.leads import CandidateView
from forensic.cases.permissions import Action, check
from forensic.cases.reviews import ANSWERS, FEATURES, Progress
from forensic.faces.align import CSITemplate
from forensic.faces.geometry import map_points
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done
from forensic.web.pages.people import Names

blueprint = Blueprint("review", __name__, url_prefix="/searches/<uuid:search_id>")

VERDICTS = (
    (Verdict.POTENTIAL_CANDIDATE, "May be the person of the sketch; worth following up."),
    (Verdict.NO_CANDIDATE, "Differences rule the person out."),
    (Verdict.INCONCLUSIVE, "Sketch or photo do not allow either."),
)
CROP_PX = 96


@dataclass(frozen=True)
class Picture:
    """One picture to be compared.

    Attributes:
        url: Where it is.
        label: What it is called beside it.
        points: Its five landmarks as shares of its width; None where unknown.
    """

    url: str
    label: str
    points: list[list[float]] | None


@blueprint.get("/review")
def start(search_id: uuid.UUID) -> ResponseReturnValue:
    """GET /searches/ID/review: 302 to the first candidate that is not decided, 404."""
    actor, session = current_actor(), records.session()
    check(actor, Action.REVIEW)
    entries = leads.candidates(session, actor, search_id).entries
    if not entries:
        return redirect(url_for("pages.searches.show", search_id=search_id))
    chosen = next((entry for entry in entries if entry.own_review is None), entries[0])
    return redirect(url_for(".candidate", search_id=search_id, candidate_id=chosen.id))


@blueprint.route("/review/<uuid:candidate_id>", methods=["GET", "POST"])
def candidate(search_id: uuid.UUID, candidate_id: uuid.UUID) -> ResponseReturnValue:
    """GET, POST /searches/ID/review/ID: 200 the workbench, 303 decided, 404, 422 refused."""
    actor, session = current_actor(), records.session()
    check(actor, Action.REVIEW)
    listed = leads.candidates(session, actor, search_id)
    positions = {entry.id: position for position, entry in enumerate(listed.entries)}
    if candidate_id not in positions:
        abort(404)
    entry = listed.entries[positions[candidate_id]]
    form = Form(request.form, **_decided(entry))
    if request.method == "POST":
        with form.attempt():
            reviews.decide(
                session,
                actor,
                candidate_id,
                verdict=form.one_of("verdict", Verdict),
                note=form.values.get("note", ""),
                features=_features(form),
            )
            return _go_on(search_id, listed.entries, positions[candidate_id])
    return _render(listed, positions[candidate_id], form)


@blueprint.get("/adjudication")
def adjudication(search_id: uuid.UUID) -> ResponseReturnValue:
    """GET /searches/ID/adjudication: 200 where examiners differ, 404, 409 in mid-review."""
    return _render_adjudication(search_id, Form())


@blueprint.post("/adjudication/<uuid:candidate_id>")
def adjudicate(search_id: uuid.UUID, candidate_id: uuid.UUID) -> ResponseReturnValue:
    """POST /searches/ID/adjudication/ID: 303 adjudicated, 404, 409, 422 refused."""
    form = Form(request.form)
    with form.attempt():
        conclusions.adjudicate(
            records.session(),
            current_actor(),
            candidate_id,
            verdict=form.one_of("verdict", Verdict),
            reason=form.text("reason"),
        )
        return done("adjudicated", "pages.review.adjudication", search_id=search_id)
    return _render_adjudication(search_id, form)


def _decided(entry: CandidateView) -> dict[str, str]:
    """Return the form as the examiner decided before."""
    held = entry.own_review
    if held is None:
        return {}
    answers = {f"feature-{feature}": answer for feature, answer in held.features.items()}
    return {"verdict": held.verdict.value, "note": held.note, **answers}


def _features(form: Form) -> dict[str, str]:
    answers = {feature: form.text(f"feature-{feature}") for feature in FEATURES}
    return {feature: answer for feature, answer in answers.items() if answer}


def _go_on(
    search_id: uuid.UUID, entries: Sequence[CandidateView], position: int
) -> ResponseReturnValue:
    """Redirect to the next candidate that is not decided, else to the whole list."""
    later = [*entries[position + 1 :], *entries[:position]]
    waiting = next((entry for entry in later if entry.own_review is None), None)
    if waiting is None:
        return done("all-decided", "pages.searches.show", search_id=search_id)
    return done("decided", ".candidate", search_id=search_id, candidate_id=waiting.id)


def _render(listed: leads.CandidateList, position: int, form: Form) -> ResponseReturnValue:
    actor, session = current_actor(), records.session()
    view = searches.get(session, actor, listed.search.id)
    entries, entry = listed.entries, listed.entries[position]
    around = [*entries[position + 1 :], *entries[:position]]
    return render_template(
        "review.html.j2",
        search=view.search,
        gallery_name=view.gallery_name,
        case=lifecycle.get_case(session, actor, view.search.case_id),
        entries=entries,
        entry=entry,
        is_blind=listed.is_blind,
        progress_own=Progress(listed.decided, len(entries)),
        previous=entries[position - 1] if position else None,
        next=entries[position + 1] if position + 1 < len(entries) else None,
        undecided=next((other for other in around if other.own_review is None), None),
        form=form,
        verdicts=VERDICTS,
        features=FEATURES,
        answers=ANSWERS,
        checked_any=any(form.text(f"feature-{feature}") for feature in FEATURES),
        photo_points=_shares(entry.landmarks, entry.size_px[0]) or None,
        history=_history(session, listed.search.id, entry.id),
        **_compared(session, view.inputs),
    ), form.status


def _render_adjudication(search_id: uuid.UUID, form: Form) -> ResponseReturnValue:
    actor, session = current_actor(), records.session()
    check(actor, Action.ADJUDICATE)
    view = searches.get(session, actor, search_id)
    return render_template(
        "adjudication.html.j2",
        search=view.search,
        gallery_name=view.gallery_name,
        case=lifecycle.get_case(session, actor, view.search.case_id),
        entries=conclusions.disagreements(session, actor, search_id),
        verdicts=VERDICTS,
        form=form,
        people=Names(session),
        **_compared(session, view.inputs),
    ), form.status


def _history(session: Session, search_id: uuid.UUID, candidate_id: uuid.UUID) -> list[Any]:
    """Return the examiner's own decisions on one candidate that were superseded."""
    own = reviews.list_own(session, current_actor(), search_id, with_superseded=True)
    mine = [review for review in own if review.candidate_id == candidate_id]
    superseded = {review.supersedes_id for review in mine}
    return [review for review in mine if review.id in superseded]


def _compared(session: Session, inputs: Sequence[SearchInput]) -> dict[str, Any]:
    """Return the first sketch of a search and the first face made from it."""
    probe = get_row(session, Probe, inputs[0].probe_id)
    points = get_row(session, LandmarkVersion, inputs[0].landmark_version_id).points
    sketch = Picture(
        url_for("pages.probes.sketch", probe_id=probe.id),
        probe.kind.value,
        _shares(points, probe.width_px),
    )
    made = next((given.rendition_id for given in inputs if given.rendition_id), None)
    if made is None:
        return {"sketch": sketch, "rendition": None}
    rendition = get_row(session, Rendition, made)
    cut_from = get_row(session, LandmarkVersion, rendition.landmark_version_id).points
    url = url_for("pages.probes.rendition", rendition_id=rendition.id)
    return {
        "sketch": sketch,
        "rendition": Picture(url, rendition.generator, _crop_points(cut_from)),
    }


def _crop_points(points: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return where landmarks of the sketch lie in a face made from its crop."""
    found = np.asarray(points, dtype=np.float32)
    cut = map_points(CSITemplate().matrix(found), found)
    return _shares(cut.tolist(), CROP_PX)


def _shares(points: Sequence[Sequence[float]], width_px: int) -> list[list[float]]:
    return [[round(x / width_px, 4), round(y / width_px, 4)] for x, y in points]
