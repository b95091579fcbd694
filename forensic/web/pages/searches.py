"""Pages of searches: the form, the result as each person may see it, candidates' photos."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from db.errors import NotFound
from db.models import Case, Gallery, Probe, SearchInput
from db.queries import galleries as gallery_rows
from db.queries import probes as probe_rows
from db.queries.rows import PAGE_SIZE_MAX, get_row
from db.queries.subjects import SubjectFilter
from forensic.cases import conclusions, leads, lifecycle, probes, searches
from forensic.cases.compared import weights_of_best
from forensic.cases.permissions import Action, check, may
from forensic.cases.reviews import Progress
from forensic.cases.searches import FUSIONS, LIST_LENGTH_DEFAULT, SearchView
from forensic.errors import RequestRefused, ReviewConflict
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done
from forensic.web.pages.offers import offered_generators
from forensic.web.pages.people import Names
from forensic.web.pages.pictures import picture
from forensic.weights.accuracy import Measured, measured_accuracy
from forensic.weights.fusions import BEST

blueprint = Blueprint("searches", __name__)


@blueprint.route("/cases/<uuid:case_id>/search", methods=["GET", "POST"])
def new(case_id: uuid.UUID) -> ResponseReturnValue:
    """GET, POST /cases/ID/search: 200 the form, 303 asked for, 404, 422 refused."""
    actor, session = current_actor(), records.session()
    check(actor, Action.SEARCH)
    case = lifecycle.get_case(session, actor, case_id)
    galleries = _galleries(session)
    form = Form(request.form, **_defaults(case, galleries))
    if request.method == "POST":
        with form.attempt():
            search = searches.request(
                session, actor, case_id, weights=records.weights(), **_read(form)
            )
            return done("searching", "pages.searches.show", search_id=search.id)
    usable = [
        probe
        for probe in probes.list_probes(session, actor, case_id).rows
        if probe.withdrawn_at is None
    ]
    return render_template(
        "search_new.html.j2",
        case=case,
        form=form,
        probes=usable,
        ready=_ready(session, usable),
        galleries=galleries,
        generators=offered_generators(),
        fusions=[(name, about.capitalize()) for name, about in FUSIONS.items()],
        most=searches.LIST_LENGTH_LONG if may(actor, Action.SEARCH_LONG) else 50,
    ), form.status


@blueprint.get("/searches/<uuid:search_id>")
def show(search_id: uuid.UUID) -> ResponseReturnValue:
    """GET /searches/ID: 200 the search, its progress or its list, 404."""
    actor, session = current_actor(), records.session()
    view = searches.get(session, actor, search_id)
    listed = leads.candidates(session, actor, search_id)
    kinds = _kinds(session, view.inputs)
    return render_template(
        "search.html.j2",
        search=view.search,
        job=view.job,
        inputs=view.inputs,
        gallery_name=view.gallery_name,
        case=lifecycle.get_case(session, actor, view.search.case_id),
        kinds=kinds,
        measured=_measured(session, view, kinds),
        candidates=listed.entries,
        is_blind=listed.is_blind,
        progress_own=Progress(listed.decided, len(listed.entries)),
        disagreements=_n_disagreements(session, search_id),
        can={"review": may(actor, Action.REVIEW), "adjudicate": may(actor, Action.ADJUDICATE)},
        people=Names(session),
    )


@blueprint.get("/candidates/<uuid:candidate_id>/photo")
def photo(candidate_id: uuid.UUID) -> ResponseReturnValue:
    """GET /candidates/ID/photo: 200 the gallery's photo, 404, 409 when it is gone."""
    data, media_type = leads.candidate_photo(
        records.session(), current_actor(), candidate_id, store=records.store()
    )
    return picture(data, media_type)


def _defaults(case: Case, galleries: Sequence[tuple[uuid.UUID, str]]) -> dict[str, str | list[str]]:
    return {
        "gallery_id": str(galleries[0][0]) if len(galleries) == 1 else "",
        "purpose": case.purpose,
        "list_length": str(LIST_LENGTH_DEFAULT),
        "compare_sketch": "yes",
        "fusion": BEST,
        "probe_ids": request.args.getlist("probe"),
    }


def _read(form: Form) -> dict[str, Any]:
    return {
        "gallery_id": form.key("gallery_id"),
        "probe_ids": form.keys("probe_ids"),
        "generators": form.chosen("generators"),
        "compare_sketch": "yes" in form.chosen("compare_sketch"),
        "fusion": form.text("fusion"),
        "filters": _filter(form),
        "list_length": form.whole("list_length") or LIST_LENGTH_DEFAULT,
        "purpose": form.text("purpose"),
    }


def _filter(form: Form) -> SubjectFilter | None:
    """Return which subjects may be listed, None for all."""
    sex, first, last = form.text("sex"), form.whole("born_from"), form.whole("born_to")
    if not sex and first is None and last is None:
        return None
    if first is not None and last is not None and first > last:
        raise RequestRefused("The first year is after the last.", field="born_from")
    return SubjectFilter(
        sex=sex or None,
        birth_years=(first, last),
        keep_unknown="yes" in form.chosen("keep_unknown"),
    )


def _ready(session: Session, usable: Sequence[Probe]) -> dict[uuid.UUID, bool]:
    """Return which sketches have landmarks, without which they cannot be compared."""
    return {p.id: probe_rows.find_landmarks(session, p.id) is not None for p in usable}


def _galleries(session: Session) -> list[tuple[uuid.UUID, str]]:
    rows = gallery_rows.list_galleries(session, limit=PAGE_SIZE_MAX).rows
    return [
        (row.id, f"{row.name} ({gallery_rows.count_photos(session, row.id):,} photos)")
        for row in rows
    ]


def _kinds(session: Session, inputs: Sequence[SearchInput]) -> list[str]:
    probe_ids = dict.fromkeys(given.probe_id for given in inputs)
    return sorted({get_row(session, Probe, probe_id).kind.value for probe_id in probe_ids})


def _measured(session: Session, view: SearchView, kinds: Sequence[str]) -> Sequence[Measured]:
    """Return the figures that hold for just such a search; often none."""
    search, gallery = view.search, get_row(session, Gallery, view.search.gallery_id)
    best_of = weights_of_best(search)
    is_plain = len(view.inputs) == 1 and not search.parameters.get("generators")
    is_one = len(search.parameters.get("probe_ids", ())) == 1 if best_of is not None else is_plain
    if not is_one or len(kinds) != 1:
        return ()
    return measured_accuracy(
        gallery.embedder,
        gallery.weights_sha256,
        kind=kinds[0],
        gallery_size=int((search.extent or {}).get("subjects") or 0),
        best_of=best_of,
    )


def _n_disagreements(session: Session, search_id: uuid.UUID) -> int:
    """Return how many candidates wait for adjudication, 0 for those who may not know yet."""
    try:
        return len(conclusions.disagreements(session, current_actor(), search_id))
    except (ReviewConflict, NotFound):
        return 0
