from __future__ import annotations

import io
import re
import uuid
import zipfile
from datetime import timedelta

import pytest

from db.models import Gallery, ItemState, Subject
from db.queries.job_items import EndedItem, NewItem, add_items, end_items, list_items
from db.queries.jobs import claim_job, end_job
from forensic.cases.audit import Tag
from tests.support.service import png

from .conftest import Scene

PHOTOS = {"P-1.png": png(1), "notes.txt": b"no picture"}


def zipped(files: dict[str, bytes]) -> io.BytesIO:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as photos:
        for name, data in files.items():
            photos.writestr(name, data)
    archive.seek(0)
    return archive


def ask_import(scene: Scene, name: str = "gita", **changes: object):
    fields = {"archive": (zipped(PHOTOS), "photos.zip"), "subject_from": "file", **changes}
    return scene.client(name).post(f"/galleries/{scene.gallery_id}/import", data=fields)


def test_a_gallery_is_made_and_bound_to_its_embedder(scene: Scene) -> None:
    client = scene.client("gita")
    fields = {"name": "District", "purpose": "open cases", "embedder": "sketchface"}
    answer = client.post("/galleries", data=fields)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"]).text
    assert "Import photos next." in page
    assert "District" in page
    assert "sketchface" in page
    assert client.post("/galleries", data=fields).status_code == 422
    assert scene.n_events(Tag.GALLERY_CREATED) == 1


@pytest.mark.parametrize("changes", [{"name": " "}, {"purpose": ""}, {"embedder": "unheard-of"}])
def test_a_gallery_without_name_purpose_or_embedder_is_refused(
    scene: Scene, changes: dict[str, str]
) -> None:
    fields = {"name": "District", "purpose": "open cases", "embedder": "sketchface", **changes}
    answer = scene.client("gita").post("/galleries", data=fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_those_who_search_see_that_a_gallery_is_there_but_not_whom_it_holds(scene: Scene) -> None:
    for name in ("ines", "emil"):
        page = scene.client(name).get(f"/galleries/{scene.gallery_id}").text
        assert "subject 0" not in page
        assert "Import photos" not in page
    managed = scene.client("gita").get(f"/galleries/{scene.gallery_id}").text
    assert "subject 0" in managed
    assert "Import photos" in managed


def test_an_import_is_followed_to_its_rejected_files(scene: Scene) -> None:
    answer = ask_import(scene)
    assert answer.status_code == 303
    client, path = scene.client("gita"), answer.headers["Location"].partition("?")[0]
    assert "Waiting for the worker." in client.get(path).text
    assert client.get(f"{path}/state").json["ended"] is False
    end_import(scene, path)
    page = client.get(path).text
    assert "notes.txt" in page
    assert "unreadable" in page
    told = client.get(f"{path}/state").json
    assert (told["ended"], told["state"]) == (True, "succeeded")
    table = client.get(f"{path}/rejected.csv")
    assert table.mimetype == "text/csv"
    assert "notes.txt" in table.text
    assert "P-1.png" not in table.text
    assert scene.client("ines").get(path).status_code == 404


def end_import(scene: Scene, path: str) -> None:
    """Do the job as a worker would that takes one file and rejects the other."""
    job_id = uuid.UUID(path.rpartition("/")[2])
    with scene.site.session() as session:
        claim_job(session, job_id, "worker", lease=timedelta(minutes=1))
        add_items(session, job_id, "worker", [NewItem(name, name, {}) for name in PHOTOS])
        first, second = list_items(session, job_id).rows
        ended = [
            EndedItem(first.id, ItemState.DUPLICATE, sha256="0" * 64),
            EndedItem(second.id, ItemState.REJECTED, reason_code="unreadable", detail="text"),
        ]
        end_items(session, job_id, "worker", ended)
        end_job(session, job_id, "worker")


def test_a_job_is_cancelled_once(scene: Scene) -> None:
    path = ask_import(scene).headers["Location"].partition("?")[0]
    client = scene.client("gita")
    assert client.post(f"{path}/cancel").status_code == 303
    assert "Cancelled." in client.get(path).text
    assert client.post(f"{path}/cancel").status_code == 409


@pytest.mark.parametrize(
    "changes", [{"archive": (io.BytesIO(b"no zip"), "x.zip")}, {"archive": (io.BytesIO(b""), "")}]
)
def test_what_is_no_archive_is_refused(scene: Scene, changes: dict[str, object]) -> None:
    answer = ask_import(scene, **changes)
    assert answer.status_code == 422
    assert scene.n_events(Tag.IMPORT_REQUESTED) == 0


def test_only_managers_import_and_expunge(scene: Scene) -> None:
    for name in ("ines", "emil", "aude", "adam"):
        assert ask_import(scene, name).status_code == 403, name
    page = scene.client("gita").get(f"/galleries/{scene.gallery_id}").text
    subject = re.search(r'href="(/galleries/subjects/[^"]+)"', page)
    assert subject
    assert scene.client("ines").get(subject[1]).status_code == 403
    shown = scene.client("gita").get(subject[1]).text
    photo = re.search(r'src="(/galleries/photos/\d+)"', shown)
    assert photo
    assert scene.client("gita").get(photo[1]).mimetype == "image/png"
    expunge = re.search(r'action="(/galleries/[^"]+/expunge)"', shown)
    assert expunge
    assert scene.client("aude").post(expunge[1], data={"reason": "x"}).status_code == 403
    assert scene.client("gita").post(expunge[1]).status_code == 422
    answer = scene.client("gita").post(expunge[1], data={"reason": "acquitted"})
    assert answer.status_code == 303
    assert "No photo is left." in scene.client("gita").get(subject[1]).text
    assert scene.client("gita").get(photo[1]).status_code in (404, 409)
    assert scene.n_events(Tag.SUBJECT_EXPUNGED) == 1


def test_the_list_counts_photos(scene: Scene) -> None:
    with scene.site.session() as session:
        gallery = session.get(Gallery, scene.gallery_id)
        assert gallery
        name = gallery.name
        assert session.query(Subject).count() == 3
    row = scene.client("ines").get("/galleries").text.partition(name)[2].partition("</tr>")[0]
    assert '<td class="n">3</td>' in row
