"""An import killed at any moment, again and again, ends like one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forensic.cases.intake import ImportSource
from tests.support.import_process import ImportProcesses
from tests.support.imports import (
    end_state,
    files_of,
    make_gallery,
    queue_import,
    write_files,
)

N_PHOTOS = 28


def source_of(tmp_path: Path) -> ImportSource:
    files = {f"p{i % 9}/{i}.png": f"face {i}" for i in range(N_PHOTOS)}
    files |= {f"p{i}/copy.png": f"face {i}" for i in range(0, 9, 3)}
    files |= {f"p{i}/bad.png": "no_face" for i in range(0, 9, 4)}
    return ImportSource(
        kind="folder", path=write_files(tmp_path / "in", files), subject_from="folder"
    )


def assert_survives_kills(
    engine: Engine, url: str, tmp_path: Path, *, kills: int, processes: int = 0
) -> None:
    source, chance = source_of(tmp_path), random.Random(20261121)
    imports = ImportProcesses(url, tmp_path)
    try:
        whole = make_gallery(engine, "undisturbed")
        undisturbed = queue_import(engine, whole, source)
        started = time.monotonic()
        imports.start(undisturbed, processes=processes)
        assert imports.wait() == 0
        usual_s = time.monotonic() - started
        expected, files = end_state(engine, whole, undisturbed, tmp_path), files_of(tmp_path)
        assert expected["published"] == N_PHOTOS
        rounds = killed = 0
        while killed < kills:
            rounds += 1
            gallery_id = make_gallery(engine, f"round {rounds}")
            job_id = queue_import(engine, gallery_id, source)
            ended = None
            while ended != 0:
                pid = imports.start(job_id, processes=processes)
                if killed < kills:
                    time.sleep(chance.uniform(0, usual_s / 3))  # several times on its way
                    with suppress(ProcessLookupError):  # it was quicker
                        os.kill(pid, signal.SIGKILL)
                ended = imports.wait()
                assert ended in (0, -signal.SIGKILL)
                killed += ended != 0
            assert end_state(engine, gallery_id, job_id, tmp_path) == expected
            assert files_of(tmp_path) == files
    finally:
        imports.close()


@pytest.mark.slow
def test_killed_at_random_moments(engine: Engine, backend: str, url: str, tmp_path: Path) -> None:
    kills = 100 if backend == "sqlite" else 25  # the records behave alike, the server is slower
    assert_survives_kills(engine, url, tmp_path, kills=kills)


@pytest.mark.slow
def test_killed_together_with_its_worker_processes(records: Engine, tmp_path: Path) -> None:
    url = records.url.render_as_string(hide_password=False)
    assert_survives_kills(records, url, tmp_path, kills=3, processes=1)
