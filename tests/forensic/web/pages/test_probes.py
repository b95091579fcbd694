from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from db.queries.probes import find_landmarks
from forensic.cases.audit import Tag
from tests.support.factories import POINTS
from tests.support.service import png

from .conftest import Scene

FIELDS = {"kind": "forensic", "source": "interview", "person_label": "person 1"}
MOVED = {f"{axis}{i}": str(p[a]) for i, p in enumerate(POINTS) for a, axis in enumerate("xy")}


def upload(scene: Scene, data: bytes, *, name: str = "sketch.png", **changes: str):
    fields = {**FIELDS, **changes, "sketch": (io.BytesIO(data), name)}
    return scene.client("ines").post(f"/cases/{scene.case_id}/probes", data=fields)


def test_a_sealed_sketch_is_shown_while_its_face_is_looked_for(scene: Scene) -> None:
    answer = upload(scene, png(7))
    assert answer.status_code == 303
    page = scene.client("ines").get(answer.headers["Location"]).text
    assert "The sketch is sealed." in page
    assert "Finding the face" in page
    assert re.search(r'data-job="/jobs/[0-9a-f-]{36}/state"', page)
    assert scene.n_events(Tag.PROBE_SEALED) == 2


def test_the_same_file_is_one_sketch(scene: Scene) -> None:
    first, second = upload(scene, png(7)), upload(scene, png(7), name="../../etc/passwd")
    assert second.headers["Location"] == first.headers["Location"].replace("sealed", "known")


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 not a picture", "not an image"),
        (png(7)[:400], "truncated"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_beside_the_field(
    scene: Scene, data: bytes, phrase: str
) -> None:
    answer = upload(scene, data, source="the witness's own words")
    assert answer.status_code == 422
    assert phrase in answer.text
    assert 'value="the witness&#39;s own words"' in answer.text
    assert scene.n_events(Tag.PROBE_SEALED) == 1


def test_a_file_beyond_the_limit_is_refused(scene: Scene) -> None:
    answer = scene.client("ines").post(
        f"/cases/{scene.case_id}/probes",
        data=b"\0" * (scene.site.settings.sketch_bytes_max + 100_000),
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 413
    assert "larger than is allowed" in answer.text


def test_corrected_landmarks_are_a_new_version(scene: Scene) -> None:
    client, path = scene.client("emil"), f"/probes/{scene.probe_id}/landmarks"
    answer = client.post(path, data={**MOVED, "x0": "31.5", "based_on": "1"})
    assert answer.status_code == 303
    with scene.site.session() as session:
        latest = find_landmarks(session, scene.probe_id)
        assert latest
        assert (latest.number, latest.points[0]) == (2, [31.5, 40.0])
        assert latest.author_id == scene.people["emil"].id
    page = client.get(f"/probes/{scene.probe_id}").text
    assert "Placed by Emil" in page
    assert 'name="x0" type="number" step="0.1" min="0" max="95" required value="31.5"' in page
    assert scene.n_events(Tag.LANDMARKS_PLACED) == 1


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"based_on": "0"}, "meanwhile"),
        ({"x1": "400"}, "outside"),
        ({"x0": "left"}, "number"),
        ({"y3": "1", "y4": "1"}, "andmark"),
    ],
)
def test_impossible_landmarks_keep_what_was_placed_on_the_page(
    scene: Scene, changes: dict[str, str], phrase: str
) -> None:
    path = f"/probes/{scene.probe_id}/landmarks"
    answer = scene.client("emil").post(path, data={**MOVED, "based_on": "1", **changes})
    assert answer.status_code == 422
    assert phrase in answer.text
    assert scene.n_events(Tag.LANDMARKS_PLACED) == 0


def test_renditions_are_asked_for_by_name(scene: Scene) -> None:
    client, path = scene.client("ines"), f"/probes/{scene.probe_id}/renditions"
    assert client.post(path).status_code == 422
    assert client.post(path, data={"generators": "unheard-of"}).status_code == 422
    answer = client.post(path, data={"generators": ["csi-line", "csi-color"]})
    assert answer.status_code == 303
    assert "Making renditions" in client.get(answer.headers["Location"]).text
    assert scene.n_events(Tag.RENDITION_REQUESTED) == 1


def test_a_scan_that_browsers_cannot_show_is_shown_as_png(scene: Scene) -> None:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png(9))).save(buffer, "TIFF")
    sealed = upload(scene, buffer.getvalue(), name="scan.tif").headers["Location"]
    shown = scene.client("ines").get(sealed.partition("?")[0] + "/sketch")
    assert shown.mimetype == "image/png"
    assert shown.data.startswith(b"\x89PNG")


def test_a_withdrawn_sketch_says_so_and_is_not_offered_for_a_search(scene: Scene) -> None:
    client, path = scene.client("ines"), f"/probes/{scene.probe_id}"
    assert client.post(f"{path}/withdraw").status_code == 422
    assert client.post(f"{path}/withdraw", data={"reason": "wrong case"}).status_code == 303
    assert "withdrawn" in client.get(path).text
    assert f'value="{scene.probe_id}"' not in client.get(f"/cases/{scene.case_id}/search").text
