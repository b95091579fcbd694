"""What people send who mean no good, or whose network broke: refused, and nothing is lost."""

from __future__ import annotations

import gc
import io
import logging
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from db.models import Role
from db.queries.audit import verify
from forensic.images.io import encode_image
from tests.support.service import png
from tests.support.web import Site, settings_of

CASE = {"number": "1", "offence": "theft", "legal_basis": "order", "purpose": "leads"}


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return site.with_key(site.add_person("ann", Role.INVESTIGATOR), Role.INVESTIGATOR)


@pytest.fixture
def case_id(client: FlaskClient) -> str:
    return client.post("/api/v1/cases", json=CASE).json["id"]


@pytest.fixture
def dropped_files() -> Iterator[None]:
    """Let go here of the temporary files that a form parser keeps when it is interrupted."""
    yield
    gc.collect()


DROPS_FILES = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def upload(client: FlaskClient, case_id: str, data: bytes, name: str = "sketch.png"):
    form = {"kind": "forensic", "source": "interview", "sketch": (io.BytesIO(data), name)}
    return client.post(f"/api/v1/cases/{case_id}/probes", data=form)


def bomb(side_px: int = 30_000) -> bytes:
    """A PNG of a few hundred bytes that claims 900 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@DROPS_FILES
@pytest.mark.usefixtures("dropped_files")
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"GIF89a", 422),
        (b"%PDF-1.7 not a picture", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422),
        (png()[:200], 422),
        (bomb(), 422),
        (b"\x00" * (11 * 2**20), 413),
    ],
    ids=["empty", "gif", "pdf", "svg", "truncated", "bomb", "11 MiB"],
)
def test_unusable_uploads_are_refused(
    site: Site, client: FlaskClient, case_id: str, data: bytes, status: int
) -> None:
    answer = upload(client, case_id, data)
    assert answer.status_code == status, answer.json
    assert client.get(f"/api/v1/cases/{case_id}/probes").json["items"] == []


def scan(n_bytes: int = 3 * 2**20) -> bytes:
    """A picture as large as scanners make them: noise does not compress."""
    side = round((n_bytes / 3) ** 0.5)
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return encode_image(noise)


def test_a_large_scan_is_taken_by_key_and_by_browser(
    site: Site, client: FlaskClient, case_id: str
) -> None:
    assert len(scan()) > site.settings.request_bytes_max
    assert upload(client, case_id, scan()).status_code == 201
    form = {"kind": "forensic", "source": "scan", "person_label": "A"}
    sketch = (io.BytesIO(scan(4 * 2**20)), "scan.png")
    answer = site.signed_in("ann").post(f"/cases/{case_id}/probes", data={**form, "sketch": sketch})
    assert answer.status_code == 303


class Endless(io.RawIOBase):
    """A body that never ends, and fails the test when it is read on and on."""

    def __init__(self, most_bytes: int) -> None:
        self.left = most_bytes

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return 0

    def seek(self, *_: int) -> int:
        return 0

    def readinto(self, buffer) -> int:
        self.left -= len(buffer)
        assert self.left > 0, "the body was read on and on"
        buffer[:] = b"x" * len(buffer)
        return len(buffer)


def stream(client: FlaskClient, case_id: str, body: Endless, **environ):
    return client.post(
        f"/api/v1/cases/{case_id}/probes",
        input_stream=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        environ_overrides=environ,
    )


@DROPS_FILES
@pytest.mark.usefixtures("dropped_files")
def test_endless_stream_without_length_is_cut_off(client: FlaskClient, case_id: str) -> None:
    body = Endless(40 * 2**20)
    answer = stream(client, case_id, body, **{"wsgi.input_terminated": True})
    assert answer.status_code == 413


def test_announced_2_gb_are_refused_unread(client: FlaskClient, case_id: str) -> None:
    answer = stream(client, case_id, Endless(1), CONTENT_LENGTH="2000000000")
    assert answer.status_code == 413


def test_upload_of_someone_not_signed_in_is_not_even_read(site: Site, case_id: str) -> None:
    body = Endless(1)
    answer = stream(site.app.test_client(), case_id, body, **{"wsgi.input_terminated": True})
    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b.png", "con", "…" * 300, "<b>.png"])
def test_file_names_decide_nothing(
    site: Site, client: FlaskClient, case_id: str, name: str
) -> None:
    answer = upload(client, case_id, png(), name)
    assert answer.status_code == 201
    stored = sorted(p for p in (site.settings.data_folder / "files").rglob("*") if p.is_file())
    assert [p.parent.name + p.name for p in stored] == [answer.json["sketch_sha256"]]


def test_two_files_where_one_is_wanted_do_not_add_up(client: FlaskClient, case_id: str) -> None:
    form = {
        "kind": "forensic",
        "source": "interview",
        "sketch": [(io.BytesIO(png(1)), "a.png"), (io.BytesIO(png(2)), "b.png")],
    }
    client.post(f"/api/v1/cases/{case_id}/probes", data=form)
    assert len(client.get(f"/api/v1/cases/{case_id}/probes").json["items"]) <= 1


@pytest.mark.parametrize(
    "text",
    ["'; DROP TABLE cases;--", "{{ 7*7 }}", "{% raise %}", "<script>alert(1)</script>", "%s%n"],
)
def test_sql_and_template_characters_come_back_as_they_were(client: FlaskClient, text: str) -> None:
    opened = client.post("/api/v1/cases", json={**CASE, "number": text, "offence": text})
    assert opened.status_code == 201
    assert client.get(opened.headers["Location"]).json["offence"] == text


def test_other_peoples_cases_look_like_none(site: Site, client: FlaskClient, case_id: str) -> None:
    probe = upload(client, case_id, png()).json["id"]
    eve = site.with_key(site.add_person("eve", Role.INVESTIGATOR), Role.INVESTIGATOR)
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in ("/cases/{}", "/cases/{}/probes", "/cases/{}/searches", "/cases/{}/timeline"):
        theirs = eve.get("/api/v1" + path.format(case_id))
        nobodys = eve.get("/api/v1" + path.format(unknown))
        assert (theirs.status_code, nobodys.status_code) == (404, 404)
        assert theirs.json["detail"].replace(case_id, unknown) == nobodys.json["detail"]
    assert eve.get(f"/api/v1/probes/{probe}").status_code == 404
    assert eve.get(f"/api/v1/probes/{probe}/image").status_code == 404
    assert eve.get("/api/v1/cases").json["items"] == []


def test_cursor_serves_its_own_list_and_person_only(site: Site, client: FlaskClient) -> None:
    for number in range(3):
        client.post("/api/v1/cases", json={**CASE, "number": str(number)})
    page = client.get("/api/v1/cases?limit=2").json
    assert [case["number"] for case in page["items"]] == ["2", "1"]
    cursor = page["next_cursor"]
    rest = client.get(f"/api/v1/cases?limit=2&cursor={cursor}").json
    assert ([case["number"] for case in rest["items"]], rest["next_cursor"]) == (["0"], None)
    assert client.get(f"/api/v1/cases?status=closed&cursor={cursor}").status_code == 422
    forged = cursor[:-5] + ("x" if cursor[-5] != "x" else "y") + cursor[-4:]  # all its bits count
    assert client.get(f"/api/v1/cases?cursor={forged}").status_code == 422
    eve = site.with_key(site.add_person("eve", Role.INVESTIGATOR), Role.INVESTIGATOR)
    assert eve.get(f"/api/v1/cases?cursor={cursor}").status_code == 422


def test_stale_and_missing_versions_are_refused(client: FlaskClient, case_id: str) -> None:
    path, change = f"/api/v1/cases/{case_id}", {"offence": "arson"}
    tag = client.get(path).headers["ETag"]
    assert client.patch(path, json=change).status_code == 428
    assert client.patch(path, json=change, headers={"If-Match": '"999"'}).status_code == 412
    assert client.patch(path, json=change, headers={"If-Match": "*"}).status_code == 412
    assert client.patch(path, json=change, headers={"If-Match": tag}).status_code == 200
    assert client.patch(path, json=change, headers={"If-Match": tag}).status_code == 412


def test_requests_beyond_the_limit_are_refused_for_that_person_only(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    (tmp_path / "service.db").write_bytes(migrated_sqlite.read_bytes())
    site = Site(settings_of(tmp_path, requests_per_minute=2))
    ann, eve = (
        site.with_key(site.add_person(name, Role.AUDITOR), Role.AUDITOR) for name in ("ann", "eve")
    )
    assert [ann.get("/api/v1/session").status_code for _ in range(3)] == [200, 200, 429]
    assert eve.get("/api/v1/session").status_code == 200


def test_log_tells_who_and_what_but_no_secret(
    site: Site, client: FlaskClient, case_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="forensic.web"):
        client.get("/api/v1/cases?status=open")
        site.app.test_client().post(
            "/api/v1/session", json={"name": "ann", "password": "hunter2hunter2"}
        )
        upload(client, case_id, png())
    told = " ".join(f"{r.getMessage()} {getattr(r, 'facts', '')}" for r in caplog.records)
    assert "/api/v1/cases" in told
    assert "api_key" in told
    for secret in ("hunter2", "Bearer", "fk_", "status=open", "interview", "PNG"):
        assert secret not in told


def test_after_all_that_the_audit_is_sound(site: Site, client: FlaskClient, case_id: str) -> None:
    upload(client, case_id, b"")
    client.get("/api/v1/cases?cursor=forged")
    with site.session() as session:
        assert verify(session).is_sound
