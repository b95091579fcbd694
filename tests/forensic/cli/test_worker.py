"""`forensic worker` with the bundled models: from a sealed sketch to a ranked list."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import torch
from sqlalchemy import Engine

from db.migrations import upgrade
from db.models import Job, JobState, ProbeKind, Role
from db.queries.photos import NewPhoto, add_photos
from db.queries.probes import find_landmarks
from db.queries.rows import get_row
from db.session import open_engine, session_scope
from forensic.cases import galleries, leads, probes, searches
from forensic.embedders.registry import create_embedder
from forensic.identification.enrol import embed_faces
from forensic.images.io import decode_image, encode_image
from forensic.jobs.galleries.projection import publish
from forensic.jobs.preview import HOST, ask
from forensic.jobs.queue import JobQueue, enqueue_committed
from forensic.storage import FileStore
from tests.support.images import face_landmarks, face_photo
from tests.support.service import actor_of, open_case

PATIENCE_S = 500
SEEDS = range(4)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_for(what, process) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert process.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def state_of(engine: Engine, job_id: uuid.UUID | None) -> Job:
    with session_scope(engine, read_only=True) as session:
        return get_row(session, Job, job_id)


def fill(engine: Engine, store: FileStore, folder: Path) -> uuid.UUID:
    """Make a gallery of phantoms with the bundled embedder, and publish it."""
    embedder = create_embedder("sketchface", device=torch.device("cpu"))
    pictures, points = [face_photo(s) for s in SEEDS], [face_landmarks(s) for s in SEEDS]
    vectors = embed_faces(embedder, pictures, points)
    with session_scope(engine) as session:
        manager = actor_of(session, Role.GALLERY_MANAGER)
        gallery = galleries.create_gallery(
            session, manager, name="phantoms", purpose="test", embedder="sketchface"
        )
        photos = [
            NewPhoto(
                f"phantom {seed}", store.put(encode_image(picture)), f"{seed}.png", (200, 250),
                vector.astype("<f4").tobytes(), {}, found.tolist(),
            )
            for seed, picture, found, vector in zip(SEEDS, pictures, points, vectors, strict=True)
        ]  # fmt: skip
        add_photos(session, gallery.id, photos)
    publish(engine, folder, gallery.id)
    return gallery.id


@pytest.mark.slow
def test_from_a_sealed_sketch_to_a_ranked_list(tmp_path: Path) -> None:
    url, port, token = f"sqlite:///{tmp_path}/records.db", free_port(), "t" * 40
    environment = {name: v for name, v in os.environ.items() if not name.startswith("FORENSIC_")}
    environment |= {
        "FORENSIC_MODE": "development",
        "FORENSIC_SECRET_KEY": "k" * 40,
        "FORENSIC_DATA_FOLDER": str(tmp_path),
        "FORENSIC_WORKER_PORT": str(port),
        "FORENSIC_WORKER_TOKEN": token,
    }
    upgrade(url)
    engine, store = open_engine(url), FileStore(str(tmp_path / "files"))
    gallery_id = fill(engine, store, tmp_path / "galleries")
    queue = JobQueue(f"sqlite:///{tmp_path}/queue.db")
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "worker"]
    worker = subprocess.Popen(command, env=environment)
    try:
        with session_scope(engine) as session:
            actor = actor_of(session, Role.INVESTIGATOR)
            case = open_case(session, actor)
            probe, _ = probes.seal_probe(
                session, actor, case.id, data=encode_image(face_photo(2)), store=store,
                kind=ProbeKind.VIEWED, source="drawn",
            )  # fmt: skip
        enqueue_committed(queue, session)

        def has_landmarks() -> bool:
            with session_scope(engine, read_only=True) as session:
                return find_landmarks(session, probe.id) is not None

        wait_for(has_landmarks, worker)
        with session_scope(engine) as session:
            search = searches.request(
                session, actor, case.id, gallery_id=gallery_id, probe_ids=[probe.id]
            )
        enqueue_committed(queue, session)
        wait_for(lambda: state_of(engine, search.job_id).ended_at is not None, worker)
        ended = state_of(engine, search.job_id)
        assert (ended.state, ended.detail) == (JobState.SUCCEEDED, None)
        with session_scope(engine) as session:
            listed = leads.candidates(session, actor, search.id)
        assert listed.entries[0].subject_external_id == "phantom 2"
        assert listed.search.parameters["fusion"] == "best"
        assert "adapter" in (listed.entries[0].contributions or {})
        assert "embedder sketchface" in (listed.search.model_hashes or {})

        wait_for(lambda: is_healthy(port), worker)
        drawing = encode_image(face_photo(1, size_hw=(192, 192)))
        assert decode_image(ask(drawing, port=port, token=token)).shape == (206, 192, 3)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
    finally:
        worker.kill()
        worker.wait()
        engine.dispose()
