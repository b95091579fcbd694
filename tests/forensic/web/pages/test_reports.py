from __future__ import annotations

import hashlib
from datetime import timedelta

from db.models import ReportFormat
from db.queries.cases import add_report
from db.queries.jobs import claim_job, end_job, list_waiting_jobs
from forensic.cases.audit import Tag
from forensic.cases.jobs import JobKind

from .conftest import Scene


def written(scene: Scene, data: bytes = b"%PDF-1.7 a report") -> str:
    """Keep a report as the worker would; return its address."""
    with scene.site.session() as session:
        report = add_report(
            session,
            case_id=scene.case_id,
            written_by_id=scene.people["ines"].id,
            format=ReportFormat.PDF,
            sha256=scene.site.store.put(data),
            size_bytes=len(data),
            contents={},
            software_version="0",
        )
        return f"/reports/{report.id}"


def test_reports_are_asked_for_by_format(scene: Scene) -> None:
    client, path = scene.client("ines"), f"/cases/{scene.case_id}/reports"
    assert client.post(path, data={"nothing": "chosen"}).status_code == 422
    answer = client.post(path, data={"formats": ["pdf", "zip"]})
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"]).text
    assert "Writing the report" in page
    assert scene.n_events(Tag.REPORT_REQUESTED) == 1


def test_a_report_is_handed_out_as_it_was_written(scene: Scene) -> None:
    path = written(scene)
    client = scene.client("ines")
    page = client.get(f"/cases/{scene.case_id}/reports").text
    assert f'href="{path}"' in page
    assert hashlib.sha256(b"%PDF-1.7 a report").hexdigest()[:16] in page
    answer = client.get(path)
    assert answer.data == b"%PDF-1.7 a report"
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert scene.n_events(Tag.REPORT_EXPORTED) == 1


def test_a_report_that_failed_is_told_until_one_is_asked_for_again(scene: Scene) -> None:
    client, path = scene.client("ines"), f"/cases/{scene.case_id}/reports"
    client.post(path, data={"formats": "pdf"})
    with scene.site.session() as session:
        (job,) = [j for j in list_waiting_jobs(session) if j.kind == JobKind.REPORT]
        claim_job(session, job.id, "worker", lease=timedelta(minutes=1))
        end_job(session, job.id, "worker", reason_code="disk_full", detail="The disk is full.")
    assert "was not written. Failed: The disk is full." in client.get(path).text
    client.post(path, data={"formats": "pdf"})
    assert "was not written" not in client.get(path).text


def test_an_examiner_gets_no_report_before_deciding(scene: Scene) -> None:
    path = written(scene)
    assert scene.client("emil").get(path).status_code == 409
    assert scene.client("aude").get(path).status_code == 200


def test_only_investigators_write_and_only_readers_of_the_case_read(scene: Scene) -> None:
    path = f"/cases/{scene.case_id}/reports"
    for name in ("emil", "aude"):
        assert scene.client(name).post(path, data={"formats": "pdf"}).status_code == 403
    for name in ("gita", "adam"):
        assert scene.client(name).get(path).status_code == 403
        assert scene.client(name).get(written(scene)).status_code == 403
