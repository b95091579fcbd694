"""Measuring how often the right person is found, on pairs that somebody uploaded.

The benchmark itself is the command `forensic benchmark pairs`, run in a process of its own: it
may take hours, and can be ended at any time without harm to the worker.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from sqlalchemy.orm import Session

from db.models import Job
from db.queries.jobs import end_job, note_progress, renew_lease
from forensic.cases import audit
from forensic.errors import JobError
from forensic.files import read_json
from forensic.images.io import MAX_FILE_BYTES, SUFFIXES
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.tasks import Workshop, asker_of

FOLDERS = ("photos", "sketches")
PICTURES_MAX = 200_000
FAILED = "benchmark_failed"

_COMMAND = (sys.executable, "-c", "from pipelines.cli import main; main()", "benchmark", "pairs")
_LOOK_EVERY_S = 2.0


def run_benchmark(shop: Workshop, hold: Hold, job: Job) -> None:
    """Run a benchmark and keep its documents and plots.

    Raises:
        JobError: The archive holds no pairs, the benchmark failed, or the job is not ours any more.
        StorageError: A file cannot be read or kept.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        shop.store.fetch(job.parameters["archive_sha256"], folder / "pairs.zip")
        unpack_pairs(folder / "pairs.zip", folder)
        _run(shop, hold, job, folder)
        _keep(shop, hold, job, folder / "out")


def unpack_pairs(archive: Path, folder: Path) -> None:
    """Unpack the pictures of `photos` and `sketches`, by their file names alone.

    Raises:
        JobError: It is no ZIP, or one of the folders holds no picture, or it holds too much.
    """
    for name in FOLDERS:
        (folder / name).mkdir()
    try:
        with zipfile.ZipFile(archive) as pairs:
            entries = [e for e in pairs.infolist() if _folder_of(e) is not None]
            if len(entries) > PICTURES_MAX:
                raise JobError(f"More than {PICTURES_MAX:,} pictures.", reason="too_many_files")
            for entry in entries:
                target = folder / str(_folder_of(entry)) / PurePosixPath(entry.filename).name
                with pairs.open(entry) as source, open(target, "wb") as picture:
                    _copy(source, picture, entry.filename)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise JobError(f"The archive cannot be read: {error}.", reason="bad_archive") from error
    for name in FOLDERS:
        if not any((folder / name).iterdir()):
            raise JobError(f"The archive has no picture in {name}/.", reason="no_pairs")


def _folder_of(entry: zipfile.ZipInfo) -> str | None:
    """Return which of the folders an entry lies in, None for all else."""
    path = PurePosixPath(entry.filename)
    if entry.is_dir() or path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
        return None
    return next((part for part in path.parts[:-1] if part in FOLDERS), None)


def _copy(source: IO[bytes], target: IO[bytes], name: str) -> None:
    data = source.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise JobError(f"{name} is larger than is accepted.", reason="too_many_bytes")
    target.write(data)


def _run(shop: Workshop, hold: Hold, job: Job, folder: Path) -> None:
    """Run the command until it ends, or the job is taken from us."""
    told = job.parameters
    options = {
        "--photos": folder / "photos",
        "--sketches": folder / "sketches",
        "--methods": ",".join(told["methods"]),
        "--embedder": told["embedder"],
        "--kind": told["kind"],
        "--device": shop.models.device,
        "--cache": folder / "cache",
        "--out": folder / "out",
    }
    words = [str(word) for pair in options.items() for word in pair]
    with open(folder / "errors", "w+b") as errors:
        process = subprocess.Popen(
            [*_COMMAND, *words, "--no-faces"], stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            while process.poll() is None:
                time.sleep(_LOOK_EVERY_S)
                hold.write(lambda s: renew_lease(s, job.id, shop.worker, lease=shop.lease))
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise JobError(said[-1] if said else "It said nothing.", reason=FAILED)


def _keep(shop: Workshop, hold: Hold, job: Job, out: Path) -> None:
    files = {
        path.relative_to(out).as_posix(): shop.store.put(path.read_bytes())
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    result = {
        "phase": "done",
        "files": files,
        "summary": summary_of(read_json(out / "report.json")),
    }

    def keep(session: Session) -> None:
        note_progress(session, job.id, shop.worker, result)
        end_job(session, job.id, shop.worker)
        audit.record(session, asker_of(job), audit.Tag.BENCHMARK_ENDED, job_id=job.id, files=files)

    hold.write(keep)


def summary_of(report: dict[str, Any]) -> dict[str, Any]:
    """Return what a list of benchmarks shows: sizes, kind, and each method's rank-1 rate."""
    return {
        "probes": report["probes"],
        "gallery": report["gallery"],
        "sketch_kind": report["sketch_kind"],
        "embedder_weights_sha256": report["embedder"]["weights_sha256"],
        "methods": {
            name: {
                "rank1": method["rank1"]["successes"] / method["rank1"]["trials"],
                "ci95": method["rank1"]["ci95"],
            }
            for name, method in report["methods"].items()
        },
    }
