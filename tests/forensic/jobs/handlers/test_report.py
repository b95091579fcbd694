"""Reports tell every candidate and negative result, carry the notice, and can be checked."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from db.models import Job, JobState, ReportFormat, Role, Verdict
from db.queries.photos import remove_photos
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases import conclusions, leads, lifecycle, renditions, reports, retention, reviews
from forensic.cases.audit import Tag
from forensic.cases.jobs import JobKind, create
from forensic.errors import NotPermitted, RecordConflict, RequestRefused, ReviewConflict
from forensic.images.io import decode_image, encode_image
from forensic.images.label import label_machine_made
from forensic.jobs.handlers.expunge import delete_case_files
from forensic.jobs.handlers.report import write_reports
from forensic.jobs.tasks import Workshop, run_job
from forensic.storage import FileStore
from forensic.values import LEAD_ONLY
from tests.support.factories import new_rendition, sha256
from tests.support.service import (
    WORKER,
    actor_of,
    completed_search,
    events_of,
    open_case,
    png,
    seal,
)

HANDLERS = {"report": write_reports, "expunge": delete_case_files}


@pytest.fixture
def shop(records: Engine, store: FileStore, tmp_path: Path) -> Workshop:
    nothing = cast("Any", None)
    lease = timedelta(minutes=5)
    return Workshop(records, store, tmp_path, nothing, nothing, "w1", lease)


@pytest.fixture
def scene(shop):
    """A case with a searched sketch, a rendition, and one examiner's and a second's decisions."""
    with session_scope(shop.engine) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        first, second, third = (actor_of(session, Role.EXAMINER) for _ in range(3))
        case = open_case(session, actor, "2026/<7>", offence="theft & <script>alert(1)</script>")
        for examiner in (first, second, third):
            lifecycle.assign(session, actor, case.id, examiner.user_id)
        probe = seal(session, actor, case, shop.store, note="=1+1")
        face = shop.store.put(encode_image(decode_image(png(9))))
        renditions.record_made(session, WORKER, new_rendition(session, probe, output_sha256=face))
        search = completed_search(session, actor, case, shop.store, n=3)
        ids = [row.id for row in leads.all_candidates(session, search.id)]
        for examiner, verdicts in (
            (first, [Verdict.POTENTIAL_CANDIDATE, Verdict.NO_CANDIDATE, Verdict.NO_CANDIDATE]),
            (second, [Verdict.NO_CANDIDATE] * 3),
        ):
            for candidate_id, verdict in zip(ids, verdicts, strict=True):
                reviews.decide(
                    session, examiner, candidate_id, verdict=verdict, note="=HYPERLINK(1)"
                )
        conclusions.adjudicate(
            session, third, ids[0], verdict=Verdict.INCONCLUSIVE, reason="pose differs"
        )
    return actor, (first, second, third), case, search


def written(shop, actor, case, formats=("pdf", "html", "json", "csv", "zip")) -> dict[str, bytes]:
    with session_scope(shop.engine) as session:
        job = reports.request(session, actor, case.id, formats=formats)
    run_job(shop, job.id, HANDLERS)
    with session_scope(shop.engine) as session:
        ended = get_row(session, Job, job.id)
        assert (ended.state, ended.detail) == (JobState.SUCCEEDED, None)
        rows = reports.list_reports(session, actor, case.id).rows
        assert {row.format.value for row in rows} == set(formats)
        return {
            row.format.value: reports.report_bytes(session, actor, row.id, store=shop.store)[0]
            for row in rows
        }


def test_every_format_tells_every_candidate_and_the_notice(shop, scene) -> None:
    actor, _, case, search = scene
    files = written(shop, actor, case)
    told = json.loads(files["json"])
    assert told["notice"] == LEAD_ONLY
    (found,) = told["searches"]
    assert [c["rank"] for c in found["candidates"]] == [1, 2, 3]
    assert [c["verdict"] for c in found["candidates"]] == [
        "inconclusive",
        "no_candidate",
        "no_candidate",
    ]
    assert [len(c["reviews"]) for c in found["candidates"]] == [2, 2, 2]
    assert "pose differs" in found["candidates"][0]["adjudication"]
    assert found["model_hashes"] == search.model_hashes or found["model_hashes"]
    assert "not measured" in found["accuracy_note"]
    assert found["extent"]["subjects"] == 3

    page = files["html"].decode()
    assert page.count("Independent corroboration is required") >= 2
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "machine-made by fake; shows no one" in page
    assert 'src="http' not in page
    assert all(f"subject {i}" in page for i in range(3))

    rows = list(csv.reader(io.StringIO(files["csv"].decode())))
    assert rows[0] == [LEAD_ONLY]
    assert len(rows) == 2 + 6
    assert rows[2][9] == "'=HYPERLINK(1)"
    assert rows[2][13] == "none +1.5000"
    assert files["pdf"].startswith(b"%PDF-")


def test_the_bundle_proves_itself_and_labels_what_is_machine_made(shop, scene) -> None:
    actor, _, case, _ = scene
    bundle = zipfile.ZipFile(io.BytesIO(written(shop, actor, case, ("zip",))["zip"]))
    manifest = json.loads(bundle.read("manifest.json"))
    assert manifest["notice"] == LEAD_ONLY
    assert set(manifest["files"]) == set(bundle.namelist()) - {"manifest.json"}
    for name, facts in manifest["files"].items():
        data = bundle.read(name)
        assert hashlib.sha256(data).hexdigest() == facts["sha256"]
        assert len(data) == facts["size_bytes"]
    names = set(manifest["files"])
    assert {"report.pdf", "report.html", "report.json", "report.csv"} <= names
    assert len([n for n in names if n.startswith("sketches/")]) == 2
    assert len([n for n in names if n.startswith("photos/")]) == 3
    (face,) = (n for n in names if n.startswith("machine-made/"))
    shown = decode_image(bundle.read(face))
    assert (shown == label_machine_made(decode_image(png(9)))).all()


def test_no_report_is_recorded_whose_file_was_deleted_meanwhile(shop, scene, monkeypatch) -> None:
    actor, _, case, _ = scene
    put = shop.store.put

    def put_and_lose(data: bytes) -> str:
        kept = put(data)
        shop.store.delete(kept)  # as the last record of the same content goes at this moment
        return kept

    monkeypatch.setattr(shop.store, "put", put_and_lose)
    with session_scope(shop.engine) as session:
        job = reports.request(session, actor, case.id, formats=("json",))
    run_job(shop, job.id, HANDLERS)
    with session_scope(shop.engine) as session:
        assert get_row(session, Job, job.id).state is JobState.FAILED
        assert not reports.list_reports(session, actor, case.id).rows


def test_the_export_is_audited_and_the_file_is_the_one_recorded(shop, scene) -> None:
    actor, _, case, _ = scene
    files = written(shop, actor, case, ("html",))
    with session_scope(shop.engine) as session:
        (report,) = reports.list_reports(session, actor, case.id).rows
        assert report.sha256 == hashlib.sha256(files["html"]).hexdigest()
        assert report.format is ReportFormat.HTML
        assert report.written_by_id == actor.user_id
        _, media_type, name = reports.report_bytes(session, actor, report.id, store=shop.store)
        assert media_type == "text/html"
        assert name.startswith("case-2026--7--")
        assert "/" not in name
        assert len(events_of(session, Tag.REPORT_EXPORTED)) == 2
        assert len(events_of(session, Tag.REPORT_WRITTEN)) == 1


def test_an_examiner_who_has_not_decided_sees_no_report(shop, scene) -> None:
    actor, (first, _, third), case, _ = scene
    written(shop, actor, case, ("json",))
    with session_scope(shop.engine) as session:
        (report,) = reports.list_reports(session, third, case.id).rows
        with pytest.raises(ReviewConflict, match="0 of 3"):
            reports.report_bytes(session, third, report.id, store=shop.store)
        assert reports.report_bytes(session, first, report.id, store=shop.store)[0]
        with pytest.raises(NotPermitted):
            reports.request(session, first, case.id)


def test_negative_results_are_said_and_missing_photos_too(shop) -> None:
    with session_scope(shop.engine) as session:
        actor, examiner = actor_of(session, Role.INVESTIGATOR), actor_of(session, Role.EXAMINER)
        case = open_case(session, actor)
        lifecycle.assign(session, actor, case.id, examiner.user_id)
        search = completed_search(session, actor, case, shop.store, n=2)
        rows = leads.all_candidates(session, search.id)
        for row in rows:
            reviews.decide(session, examiner, row.id, verdict=Verdict.NO_CANDIDATE)
        remove_photos(session, search.gallery_id, [rows[0].photo_id])
    shop.store.delete(rows[0].photo_sha256)
    page = written(shop, actor, case, ("html",))["html"].decode()
    assert "Negative result: every candidate was reviewed and none is a potential candidate" in page
    assert "no longer kept" in page


def test_expunging_deletes_the_files_and_says_so(shop, scene) -> None:
    actor, _, case, _ = scene
    written(shop, actor, case, ("html",))
    with session_scope(shop.engine) as session:
        chief = actor_of(session, Role.ADMINISTRATOR)
        (report,) = reports.list_reports(session, actor, case.id).rows
        assert shop.store.exists(report.sha256)
        job = retention.expunge(session, chief, case.id, reason="acquitted")
    run_job(shop, job.id, HANDLERS)
    with session_scope(shop.engine) as session:
        assert get_row(session, Job, job.id).state is JobState.SUCCEEDED
        assert not shop.store.exists(report.sha256)
        details = json.loads(events_of(session, Tag.CASE_FILES_DELETED)[0].payload)["details"]
        assert report.sha256 in details["files"]
        assert not any(shop.store.exists(sha256) for sha256 in details["files"])
        with pytest.raises(RecordConflict, match="expunged"):
            reports.report_bytes(session, actor, report.id, store=shop.store)
        with pytest.raises(RecordConflict, match="expunged"):
            reports.request(session, actor, case.id)


@pytest.mark.parametrize(
    ("changes", "is_quoted"),
    [
        ({}, True),
        ({"sketch_kind": "viewed"}, False),
        ({"gallery": 2}, False),
        ({"embedder_weights_sha256": "0" * 64}, False),
        ({"methods": {"csi-line": {"rank1": 0.5, "ci95": [0.2, 0.8]}}}, False),
    ],
)
def test_own_benchmarks_are_quoted_where_they_fit(shop, scene, changes, is_quoted) -> None:
    actor, _, case, _ = scene
    summary = {
        "sketch_kind": "forensic",
        "embedder_weights_sha256": sha256("weights"),
        "gallery": 500,
        "probes": 40,
        "methods": {"none": {"rank1": 0.5, "ci95": [0.338, 0.662]}},
    }
    with session_scope(shop.engine) as session:
        job = create(session, actor, JobKind.BENCHMARK, {"name": "ours"})
        job.state, job.ended_at = JobState.SUCCEEDED, job.created_at
        job.progress = {"files": {}, "summary": {**summary, **changes}}
    told = json.loads(written(shop, actor, case, ("json",))["json"])["searches"][0]
    assert [figure["gallery_size"] for figure in told["accuracy"]] == [500] * is_quoted
    assert ("not measured" in told["accuracy_note"]) is not is_quoted
    if is_quoted:
        assert told["accuracy"][0]["rate"] == "50.0 % (95 % interval 33.8–66.2 %)"


def test_unknown_formats_are_refused(shop, scene) -> None:
    actor, _, case, _ = scene
    with session_scope(shop.engine) as session:
        for formats in (["docx"], []):
            with pytest.raises(RequestRefused):
                reports.request(session, actor, case.id, formats=formats)
