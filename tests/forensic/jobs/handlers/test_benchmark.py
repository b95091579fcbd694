"""Uploaded pairs are unpacked by file name alone, and what is no pair is refused."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from db.models import JobState, ProbeKind, Role
from db.session import session_scope
from forensic.cases import benchmarks
from forensic.cases.audit import Tag
from forensic.cases.galleries import embedders
from forensic.errors import JobError
from forensic.images.io import encode_image
from forensic.jobs.handlers.benchmark import run_benchmark, summary_of, unpack_pairs
from forensic.jobs.tasks import Workshop, run_job
from forensic.storage import FileStore
from forensic.weights.embedders import DEFAULT
from tests.support.images import face_photo
from tests.support.service import actor_of, events_of, png


def archive_of(tmp_path: Path, names: dict[str, bytes]) -> Path:
    path = tmp_path / "pairs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return path


def test_only_pictures_of_the_two_folders_come_out(tmp_path: Path) -> None:
    path = archive_of(
        tmp_path,
        {
            "set/photos/1.png": png(1),
            "set/sketches/1.png": png(2),
            "photos/../../../evil.png": b"x",
            "/sketches/2.jpg": b"y",
            "photos/.hidden.png": b"z",
            "photos/readme.txt": b"no",
            "other/3.png": b"no",
        },
    )
    out = tmp_path / "out"
    out.mkdir()
    unpack_pairs(path, out)
    found = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert found == {"photos/1.png", "photos/evil.png", "sketches/1.png", "sketches/2.jpg"}
    assert (out / "photos/1.png").read_bytes() == png(1)
    assert not (tmp_path.parent / "evil.png").exists()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"photos/1.png": b"x"}, "no_pairs"),
        ({}, "no_pairs"),
        ({"photos/1.png": b"x" * (16 * 2**20 + 1), "sketches/1.png": b"y"}, "too_many_bytes"),
    ],
)
def test_what_holds_no_pairs_is_refused(tmp_path: Path, names, reason: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(JobError) as refused:
        unpack_pairs(archive_of(tmp_path, names), out)
    assert refused.value.reason == reason


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.zip"
    path.write_bytes(io.BytesIO(b"not a zip" * 100).getvalue())
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(JobError) as refused:
        unpack_pairs(path, out)
    assert refused.value.reason == "bad_archive"


def test_the_summary_is_sizes_and_rates() -> None:
    rank1 = {"successes": 3, "trials": 4, "ci95": [0.2, 0.99], "p_vs_chance": 0.1}
    report = {
        "probes": 4,
        "gallery": 10,
        "sketch_kind": "viewed",
        "embedder": {"weights_sha256": "e" * 64},
        "methods": {"none": {"rank1": rank1}},
    }
    assert summary_of(report) == {
        "probes": 4,
        "gallery": 10,
        "sketch_kind": "viewed",
        "embedder_weights_sha256": "e" * 64,
        "methods": {"none": {"rank1": 0.75, "ci95": [0.2, 0.99]}},
    }


@pytest.mark.slow
def test_uploaded_pairs_are_measured_by_the_command(
    records: Engine, store: FileStore, tmp_path: Path
) -> None:
    shown = SimpleNamespace(device="cpu")
    lease = timedelta(minutes=5)
    shop = Workshop(records, store, tmp_path, cast("Any", shown), cast("Any", None), "w1", lease)
    pairs = {
        f"{folder}/{seed}.png": encode_image(face_photo(seed, take=take))
        for seed in range(3)
        for folder, take in (("photos", 0), ("sketches", 1))
    }
    with session_scope(records) as session:
        actor = actor_of(session, Role.EXAMINER)
        with open(archive_of(tmp_path, pairs), "rb") as archive:
            job = benchmarks.request(
                session, actor, name="phantoms", archive=archive, store=store,
                kind=ProbeKind.VIEWED,
            )  # fmt: skip
    run_job(shop, job.id, {"benchmark": run_benchmark})
    with session_scope(records) as session:
        view = benchmarks.get(session, actor, job.id)
        assert (view.job.state, view.job.detail) == (JobState.SUCCEEDED, None)
        assert (view.summary["probes"], view.summary["gallery"]) == (3, 3)
        assert view.summary["sketch_kind"] == "viewed"
        (default,) = (choice for choice in embedders() if choice.name == DEFAULT)
        assert view.summary["embedder_weights_sha256"] == default.weights_sha256
        assert set(view.summary["methods"]) == {"best"}  # the default
        page = benchmarks.file_bytes(session, actor, job.id, "report.json", store=store)[0]
        assert json.loads(page)["probes"] == 3
        assert any(name.endswith(".html") for name in view.files)
        assert len(events_of(session, Tag.BENCHMARK_ENDED)) == 1
