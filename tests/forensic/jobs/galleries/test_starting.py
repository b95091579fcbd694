"""Running the same import again goes on with the one that was cut off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.errors import Conflict
from db.models import JobState
from db.queries import jobs
from db.queries.audit import list_events
from db.session import session_scope
from forensic.cases.actor import command_actor
from forensic.cases.intake import ImportSource
from forensic.errors import StorageError
from forensic.jobs.galleries.hold import is_gone, this_process
from forensic.jobs.galleries.starting import Imported, import_here
from forensic.storage import FileStore
from tests.support.imports import LEASE, make_gallery, word_intake, write_files


class FullDisk(FileStore):
    def put(self, data: bytes) -> str:
        raise StorageError("No space left on device.")


def start(engine: Engine, gallery_id, base: Path, **changes) -> Imported:
    source = ImportSource(kind="folder", path=base / "in", subject_from="folder")
    options = {"intake": word_intake(), "store": FileStore(str(base / "files")), **changes}
    return import_here(
        engine, gallery_id, source, folder=base / "galleries", actor=command_actor(), **options
    )


def dead_process() -> str:
    """The name of a process that is no more."""
    script = (
        "from forensic.jobs.galleries.hold import this_process as p; import sys;"
        "sys.stdout.write(p())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_an_attempt_that_failed_is_gone_on_with(records: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(records)
    write_files(tmp_path / "in", {"ann/1.png": "face 1", "bob/1.png": "face 2"})
    with pytest.raises(StorageError):
        start(records, gallery_id, tmp_path, store=FullDisk(str(tmp_path / "files")))
    with session_scope(records) as session:
        (left,) = jobs.list_open_jobs(session, gallery_id, kind="import")
        assert (left.state, left.total, left.done) == (JobState.QUEUED, 2, 0)
    done = start(records, gallery_id, tmp_path)
    assert (done.was_resumed, done.job.id) == (True, left.id)
    assert done.job.counts == {"indexed": 2}
    again = start(records, gallery_id, tmp_path)
    assert (again.was_resumed, again.job.counts) == (False, {"duplicate": 2})
    with session_scope(records, read_only=True) as session:
        tags = [event.tag for event in list_events(session).rows]
    assert tags.count("galleries:import:request") == 2
    assert tags.count("galleries:import:end") == 2


def test_the_job_of_a_dead_process_is_taken_over_at_once(records: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(records)
    write_files(tmp_path / "in", {"ann/1.png": "face 1"})
    source = ImportSource(kind="folder", path=tmp_path / "in", subject_from="folder")
    with session_scope(records) as session:
        parameters = {"source": source.model_dump(mode="json")}
        job = jobs.create_job(session, kind="import", parameters=parameters, gallery_id=gallery_id)
        jobs.claim_job(session, job.id, dead_process(), lease=LEASE)
    assert start(records, gallery_id, tmp_path).job.id == job.id


def test_the_job_of_a_living_process_is_left_alone(records: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(records)
    write_files(tmp_path / "in", {"ann/1.png": "face 1"})
    source = ImportSource(kind="folder", path=tmp_path / "in", subject_from="folder")
    with session_scope(records) as session:
        parameters = {"source": source.model_dump(mode="json")}
        job = jobs.create_job(session, kind="import", parameters=parameters, gallery_id=gallery_id)
        jobs.claim_job(session, job.id, "elsewhere/1/1", lease=LEASE)
    with pytest.raises(Conflict, match="being done by elsewhere"):
        start(records, gallery_id, tmp_path)


def test_names_of_processes_tell_the_living_from_the_dead() -> None:
    host, pid, started = this_process().rsplit("/", 2)
    assert not is_gone(this_process())
    assert is_gone(dead_process())
    assert is_gone(f"{host}/{pid}/{int(started) + 1}")  # the number was given out again
    for unknown in ("elsewhere/1/1", "worker", f"{host}/x/1", ""):
        assert not is_gone(unknown)
