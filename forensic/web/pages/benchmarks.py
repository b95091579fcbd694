"""Pages of benchmarks: figures that ship with the models, runs on one's own pairs, plots."""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Iterable
from typing import IO

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from db.models import ProbeKind
from forensic.cases import benchmarks
from forensic.cases.benchmarks import DIRECT
from forensic.cases.permissions import Action, check, may
from forensic.errors import RequestRefused
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done, first_url, next_url, page_key
from forensic.web.pages.offers import offered_embedders, offered_generators
from forensic.web.pages.people import Names
from forensic.web.pages.probe_forms import KINDS
from forensic.web.security import uploads
from forensic.weights.fusions import BEST

_OWN = (
    (BEST, "Best: all that helps, weighed as learnt on other people"),
    (DIRECT, "The sketch itself"),
    ("adapter", "The sketch by its own encoder"),
)
blueprint = Blueprint("benchmarks", __name__, url_prefix="/benchmarks")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """GET /benchmarks: 200 the runs, and the form that asks for one."""
    return _render(Form(kind=ProbeKind.VIEWED.value, methods=[BEST, DIRECT]))


@blueprint.post("")
@uploads("import")
def run() -> ResponseReturnValue:
    """POST /benchmarks: 303 asked for, 413, 422 refused."""
    form = Form(request.form)
    check(current_actor(), Action.RUN_BENCHMARK)
    with form.attempt():
        archive = _uploaded_archive()
        job = benchmarks.request(
            records.session(),
            current_actor(),
            name=form.text("name"),
            archive=archive,
            store=records.store(),
            kind=form.one_of("kind", ProbeKind),
            methods=form.chosen("methods"),
            embedder=form.text("embedder"),
            max_bytes=records.settings().import_bytes_max,
        )
        return done("asked", ".show", job_id=job.id)
    return _render(form)


@blueprint.get("/<uuid:job_id>")
def show(job_id: uuid.UUID) -> ResponseReturnValue:
    """GET /benchmarks/ID: 200 the run, its curves and files, 404."""
    session = records.session()
    view = benchmarks.get(session, current_actor(), job_id)
    return render_template(
        "benchmark.html.j2",
        view=view,
        job=view.job,
        plots=_plots(view.files),
        people=Names(session),
    )


@blueprint.get("/<uuid:job_id>/files/<path:name>")
def file(job_id: uuid.UUID, name: str) -> ResponseReturnValue:
    """GET /benchmarks/ID/files/NAME: 200 one file of the result, 404."""
    data, media_type = benchmarks.file_bytes(
        records.session(), current_actor(), job_id, name, store=records.store()
    )
    answer = Response(data, mimetype=media_type)
    if not media_type.startswith("image/"):
        answer.headers["Content-Disposition"] = "attachment"
    return answer


def _render(form: Form) -> ResponseReturnValue:
    actor, session = current_actor(), records.session()
    page = benchmarks.list_benchmarks(session, actor, after=page_key())
    return render_template(
        "benchmarks.html.j2",
        form=form,
        runs=page.rows,
        people=Names(session),
        kinds=[(kind.value, label) for kind, label in KINDS],
        methods=[*_OWN, *_generators()],
        embedders=offered_embedders(),
        most_bytes=records.settings().import_bytes_max,
        can={"run": may(actor, Action.RUN_BENCHMARK)},
        next_url=next_url(page.next_after),
        first_url=first_url(),
    ), form.status


def _plots(files: Iterable[str]) -> list[str]:
    """Return the pictures among files, each once although it is there as PNG and as SVG."""
    by_stem = {
        name.rpartition(".")[0]: name
        for name in sorted(files, reverse=True)
        if name.endswith((".png", ".svg"))
    }
    return list(by_stem.values())


def _generators() -> list[tuple[str, str]]:
    return [(name, f"A face made by {name}") for name, _ in offered_generators()]


def _uploaded_archive() -> IO[bytes]:
    archive = request.files.get("archive")
    if archive is None or not zipfile.is_zipfile(archive.stream):
        raise RequestRefused("Choose a ZIP of photos and sketches.", field="archive")
    archive.stream.seek(0)
    return archive.stream
