"""An import on a Ray cluster that loses a machine ends like one that nobody disturbed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forensic.cases.intake import ImportSource
from forensic.errors import JobError, SettingsError
from forensic.jobs.galleries import ray_intake
from forensic.jobs.galleries.ray_intake import connected
from forensic.jobs.galleries.workers import KILLED
from tests.support.imports import (
    end_state,
    files_of,
    make_gallery,
    queue_import,
    run,
    word_intake,
    write_files,
)

ROOT = Path(__file__).resolve().parents[4]
NO_RAY = 'Ray is not installed: pip install ".[ray]".'
N_PHOTOS = 120


def source_of(tmp_path: Path) -> ImportSource:
    files = {f"p{i % 9}/{i}.png": f"face {i}" for i in range(N_PHOTOS)}
    files |= {f"p{i}/copy.png": f"face {i}" for i in range(0, 9, 3)}
    files |= {f"p{i}/bad.png": "no_face" for i in range(0, 9, 4)}
    files["p8/deadly.png"] = "die"
    folder = write_files(tmp_path / "in", files)
    return ImportSource(kind="folder", path=folder, subject_from="folder")


def run_apart(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own: Ray leaves threads and open files behind."""
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_a_lost_node_and_a_deadly_photo_change_nothing(records: Engine, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason=NO_RAY)
    source = source_of(tmp_path)
    whole, torn = make_gallery(records, "here"), make_gallery(records, "cluster")
    here, there = tmp_path / "here", tmp_path / "there"
    done = run(records, queue_import(records, whole, source), here, intake=word_intake(processes=1))
    job_id = queue_import(records, torn, source)
    there.mkdir()
    url = records.url.render_as_string(hide_password=False)
    script = "from tests.support.ray_import import main; main()"
    ended = run_apart(script, url, str(there), str(job_id))
    assert ended.returncode == 0, ended.stderr[-4000:]
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["nodes"] == 2
    assert 0 < told["killed_at"] < told["total"]
    expected = end_state(records, whole, done.id, here)
    assert expected["published"] == N_PHOTOS
    assert end_state(records, torn, job_id, there) == expected
    assert files_of(there) == files_of(here)


def fake_job(batches, models, needs):
    """As Ray answers: nothing for a batch whose process died."""
    return {
        number: (None, None, data)
        for batch in batches
        if b"die" not in batch.values()
        for number, data in batch.items()
    }


def test_only_the_photo_that_kills_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason=NO_RAY)
    asked = []
    monkeypatch.setattr(ray_intake, "_run_job", fake_job)
    monkeypatch.setattr(ray_intake, "_check_alive", lambda *given: asked.append(given))
    batches, needs = [{1: b"a", 2: b"die", 3: b"b"}, {}, {4: b"c"}], {"num_cpus": 1}
    answers = ray_intake._answer(batches, b"models", needs)
    told = {number: refusal or vector for number, (refusal, _, vector) in answers.items()}
    assert told == {1: b"a", 2: KILLED, 3: b"b", 4: b"c"}
    assert asked == [(b"models", needs)]


def test_processes_that_cannot_live_are_told_and_blame_no_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors = pytest.importorskip("ray.exceptions", reason=NO_RAY)

    def fail(models: bytes, needs: object) -> None:
        raise errors.WorkerCrashedError

    monkeypatch.setattr(ray_intake, "_run_job", lambda *given: {})
    monkeypatch.setattr(ray_intake, "_check_alive", fail)
    with pytest.raises(JobError, match="Ray cluster has failed"):
        ray_intake._answer([{1: b"a"}], b"models", {"num_cpus": 1})


@pytest.mark.parametrize(
    ("offered", "share"),
    [({"CPU": 8.0, "GPU": 2.0}, 0.25), ({"CPU": 3.0, "GPU": 2.0}, 0.6666), ({"GPU": 4.0}, 1.0)],
)
def test_each_core_takes_an_equal_share_of_the_gpus(
    monkeypatch: pytest.MonkeyPatch, offered: dict[str, float], share: float
) -> None:
    ray = pytest.importorskip("ray", reason=NO_RAY)
    monkeypatch.setattr(ray, "cluster_resources", lambda: offered)
    assert ray_intake._needs(on_gpus=True) == {"num_cpus": 1, "num_gpus": share}
    assert ray_intake._needs(on_gpus=False) == {"num_cpus": 1}


def test_a_cluster_without_gpus_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason=NO_RAY)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    with pytest.raises(SettingsError, match="--num-gpus N"):
        ray_intake._needs(on_gpus=True)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError, match=r"forensic-sketch\[ray\]"), connected("auto"):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "nowhere"])
def test_where_no_cluster_answers_the_address_is_named(address: str) -> None:
    pytest.importorskip("ray", reason=NO_RAY)
    script = "import sys\nfrom forensic.jobs.galleries.ray_intake import connected\n"
    ended = run_apart(f"{script}with connected(sys.argv[1]): pass", address)
    assert ended.returncode == 1
    assert f"SettingsError: No Ray cluster answers at {address!r}" in ended.stderr
    assert "ray start --address" in ended.stderr


def test_ray_is_not_loaded_before_it_is_asked_for() -> None:
    script = "import sys, forensic.cli.gallery_intake, forensic.jobs.galleries.ray_intake\n"
    ended = run_apart(f"{script}assert not {{'ray', 'pyarrow', 'pandas'}} & set(sys.modules)")
    assert ended.returncode == 0, ended.stderr
