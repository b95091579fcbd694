"""Pages of galleries: making one, importing photos, its subjects, expunging them."""

from __future__ import annotations

import uuid
import zipfile
from typing import IO, Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from db.models import PhotoState
from db.queries import galleries as gallery_rows
from forensic.cases import galleries, jobs, subjects
from forensic.cases.jobs import JobKind
from forensic.cases.permissions import Action, check, may
from forensic.errors import RequestRefused
from forensic.web import records
from forensic.web.auth import current_actor
from forensic.web.pages.forms import Form
from forensic.web.pages.frame import done, first_url, next_url, page_key
from forensic.web.pages.offers import offered_embedders
from forensic.web.pages.pictures import picture
from forensic.web.security import uploads

blueprint = Blueprint("galleries", __name__, url_prefix="/galleries")


@blueprint.route("", methods=["GET", "POST"])
def index() -> ResponseReturnValue:
    """GET, POST /galleries: 200 every gallery, 303 made, 422 refused."""
    actor, session = current_actor(), records.session()
    form = Form(request.form)
    if request.method == "POST":
        with form.attempt():
            gallery = galleries.create_gallery(
                session,
                actor,
                name=form.text("name"),
                purpose=form.text("purpose"),
                embedder=form.text("embedder"),
            )
            return done("made", ".show", gallery_id=gallery.id)
    page = galleries.list_galleries(session, actor, after=page_key())
    return render_template(
        "galleries.html.j2",
        form=form,
        galleries=[(row, gallery_rows.count_photos(session, row.id)) for row in page.rows],
        embedders=offered_embedders(),
        can={"manage": may(actor, Action.MANAGE_GALLERY)},
        next_url=next_url(page.next_after),
        first_url=first_url(),
    ), form.status


@blueprint.get("/<uuid:gallery_id>")
def show(gallery_id: uuid.UUID) -> ResponseReturnValue:
    """GET /galleries/ID: 200 the gallery, its imports and, for some, its subjects; 404."""
    return _render(gallery_id, Form())


@blueprint.post("/<uuid:gallery_id>/import")
@uploads("import")
def import_photos(gallery_id: uuid.UUID) -> ResponseReturnValue:
    """POST /galleries/ID/import: 303 the job, 404, 413, 422 refused."""
    form = Form(request.form)
    check(current_actor(), Action.MANAGE_GALLERY)
    with form.attempt():
        archive = _uploaded_archive()
        job = galleries.request_import(
            records.session(),
            current_actor(),
            gallery_id,
            archive=archive,
            store=records.store(),
            subject_from="folder" if form.text("subject_from") == "folder" else "file",
            max_bytes=records.settings().import_bytes_max,
        )
        return done("importing", "pages.jobs.show", job_id=job.id)
    return _render(gallery_id, form)


@blueprint.get("/subjects/<uuid:subject_id>")
def subject(subject_id: uuid.UUID) -> ResponseReturnValue:
    """GET /galleries/subjects/ID: 200 one person's photos and metadata, 404."""
    actor, session = current_actor(), records.session()
    view = subjects.get_subject(session, actor, subject_id)
    return render_template(
        "subject.html.j2",
        subject=view.subject,
        photos=[photo for photo in view.photos if photo.state is PhotoState.ACTIVE],
        gallery=galleries.get_gallery(session, actor, view.subject.gallery_id).gallery,
        can={"expunge": may(actor, Action.EXPUNGE_SUBJECT)},
    )


@blueprint.post("/subjects/<uuid:subject_id>/expunge")
def expunge(subject_id: uuid.UUID) -> ResponseReturnValue:
    """POST /galleries/subjects/ID/expunge: 303 expunged, 404, 422 without a reason."""
    reason = Form(request.form).text("reason")
    subjects.expunge_subject(records.session(), current_actor(), subject_id, reason=reason)
    return done("expunged", ".subject", subject_id=subject_id)


@blueprint.get("/photos/<int(max=9223372036854775807):photo_id>")
def photo(photo_id: int) -> ResponseReturnValue:
    """GET /galleries/photos/ID: 200 one photo of a gallery, 404, 409 when it is gone."""
    data, media_type = subjects.photo_bytes(
        records.session(), current_actor(), photo_id, store=records.store()
    )
    return picture(data, media_type)


def _render(gallery_id: uuid.UUID, form: Form) -> ResponseReturnValue:
    actor, session = current_actor(), records.session()
    view = galleries.get_gallery(session, actor, gallery_id)
    return render_template(
        "gallery.html.j2",
        gallery=view.gallery,
        photo_count=view.photo_count,
        generation=view.generation,
        form=form,
        most_bytes=records.settings().import_bytes_max,
        can={
            "manage": may(actor, Action.MANAGE_GALLERY),
            "expunge": may(actor, Action.EXPUNGE_SUBJECT),
        },
        **_content(gallery_id),
    ), form.status


def _content(gallery_id: uuid.UUID) -> dict[str, Any]:
    """Return the subjects and imports of a gallery, for those who may see them."""
    actor, session = current_actor(), records.session()
    if not may(actor, Action.VIEW_SUBJECTS):
        none: dict[str, Any] = dict.fromkeys(("subjects", "next_url", "first_url"))
        return {**none, "imports": [], "running": []}
    page = subjects.list_subjects(session, actor, gallery_id, after=page_key())
    work = jobs.list_of_gallery(session, actor, gallery_id).rows
    return {
        "subjects": page.rows,
        "next_url": next_url(page.next_after),
        "first_url": first_url(),
        "imports": [job for job in work if job.kind == JobKind.IMPORT],
        "running": [job for job in work if job.ended_at is None],
    }


def _uploaded_archive() -> IO[bytes]:
    archive = request.files.get("archive")
    if archive is None or not zipfile.is_zipfile(archive.stream):
        raise RequestRefused("Choose a ZIP of photos.", field="archive")
    archive.stream.seek(0)
    return archive.stream
