"""A service on a folder of its own: records, a gallery of random vectors, web and worker."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from pydantic import SecretStr

from db.migrations import upgrade
from db.models import Role
from db.queries.photos import NewPhoto, add_photos
from db.queries.users import create_api_key, create_user
from db.session import open_engine, session_scope
from forensic.cases import galleries
from forensic.cases.actor import command_actor
from forensic.cases.sessions import digest_token
from forensic.errors import JobError
from forensic.settings import Settings
from pipelines.service.client import PATIENCE_S, Client

if TYPE_CHECKING:
    from forensic.jobs.models import ModelShelf

GENERATOR, EMBEDDER = "csi-line", "sketchface"
BATCH = 2000
_POINTS = ((30.0, 40.0), (66.0, 40.0), (48.0, 60.0), (34.0, 76.0), (62.0, 76.0))


def draw_sketches(n: int) -> list[bytes]:
    """Return line sketches of people who do not exist, as PNG files."""
    from forensic.images.io import encode_image
    from forensic.phantoms import create_person, render_photo
    from forensic.sketches.registry import SKETCH_STYLES

    drawn = []
    for number in range(n):
        photo, _ = render_photo(create_person(number), number)
        sketch = SKETCH_STYLES["line"](photo)
        drawn.append(encode_image(sketch if sketch.shape[2] == 3 else sketch.repeat(3, axis=2)))
    return drawn


@dataclass(frozen=True)
class BareRun:
    """One sketch without a service around it.

    Attributes:
        stages_ms: How long each stage took.
        cpu_ms: Processor time of all of them.
    """

    stages_ms: dict[str, float]
    cpu_ms: float


class ServiceSite:
    """A service of its own, for measuring.

    Args:
        folder: Empty; everything is kept there.
    """

    def __init__(self, folder: Path) -> None:
        self._secret = secrets.token_hex(32)
        self.settings = Settings(
            mode="development",
            secret_key=SecretStr(self._secret),
            data_folder=folder,
            port=_free_port(),
            worker_port=_free_port(),
            requests_per_minute=10_000_000,
        )
        upgrade(self.settings.records_url)
        self._engine = open_engine(self.settings.records_url)
        self._models: ModelShelf | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self.gallery_id = ""
        self._user_id = self._add_user()

    def fill(self, size: int) -> None:
        """Make and publish a gallery of `size` people with one random vector each."""
        from forensic.jobs.galleries.projection import publish

        with session_scope(self._engine) as session:
            gallery = galleries.create_gallery(
                session, command_actor(), name="random", purpose="speed", embedder=EMBEDDER
            )
        self.gallery_id = str(gallery.id)
        rng = np.random.default_rng(0)
        for start in range(0, size, BATCH):
            vectors = rng.standard_normal((min(BATCH, size - start), gallery.dimension))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            photos = [_photo(start + i, vector) for i, vector in enumerate(vectors)]
            with session_scope(self._engine) as session:
                add_photos(session, gallery.id, photos)
        publish(self._engine, self.settings.indexes_folder, gallery.id)

    def infer(self, sketch: bytes) -> BareRun:
        """Do what the worker does with a sketch, without database, files and queue."""
        from forensic.faces.search import find_face
        from forensic.identification.enrol import embed_faces
        from forensic.images.io import decode_image
        from forensic.jobs.galleries.searching import GallerySearcher
        from forensic.jobs.handlers.compared import Stopwatch
        from forensic.jobs.models import ModelShelf

        if self._models is None:
            self._models = ModelShelf(device=self.settings.device)
            self._searcher = GallerySearcher(self._engine, self.settings.indexes_folder)
        watch, models = Stopwatch(), self._models
        cpu_s = time.process_time()
        with watch.stage("decode"):
            pixels = decode_image(sketch, name="sketch")
        with watch.stage("landmarks"):
            face = find_face(pixels, models.detector(), kind="sketch")
        with watch.stage("invert"):
            made = models.inverter(GENERATOR).invert([pixels], [face.landmarks])[0]
        embedder = models.embedder(EMBEDDER)
        with watch.stage("embed"):
            vectors = embed_faces(embedder, [pixels, made.image], [face.landmarks, made.landmarks])
        with watch.stage("search"):
            query = vectors.mean(axis=0, keepdims=True)
            query /= np.linalg.norm(query)
            self._searcher.search(
                uuid.UUID(self.gallery_id), query, 20, weights_sha256=embedder.weights_sha256
            )
        return BareRun(watch.timings_ms, (time.process_time() - cpu_s) * 1000)

    def forget_models(self) -> None:
        """Free the memory of this process's own models before the worker loads them."""
        self._models = None

    def client(self) -> Client:
        """Return a client with a new key."""
        prefix = secrets.token_hex(6)
        key = f"fk_{prefix}_{secrets.token_urlsafe(32)}"
        with session_scope(self._engine) as session:
            create_api_key(
                session,
                user_id=self._user_id,
                label="benchmark",
                prefix=prefix,
                digest_sha256=digest_token(key),
                scopes=[Role.INVESTIGATOR],
            )
        return Client(self.settings.port, key)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run web and worker beside the block, once both are ready.

        Raises:
            JobError: They are not ready in time.
        """
        self._worker = self._start("worker")
        programs = [self._worker, self._start("serve")]
        try:
            self._wait_until_ready(programs)
            yield
        finally:
            self._worker = None
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait(timeout=PATIENCE_S)

    def worker_cpu_s(self) -> float | None:
        """Return the processor time of the running worker so far; None where it is not told."""
        if self._worker is None:
            return None
        try:
            facts = Path(f"/proc/{self._worker.pid}/stat").read_text()
        except OSError:
            return None
        user, system = facts.rpartition(")")[2].split()[11:13]  # after the name in brackets
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        values = self.settings.model_dump(mode="json", exclude_unset=True)
        values |= {"secret_key": self._secret, "log_level": "WARNING"}
        environment = {f"FORENSIC_{name.upper()}": str(value) for name, value in values.items()}
        program = [sys.executable, "-c", "from pipelines.cli import main; main()", command]
        return subprocess.Popen(program, env={**os.environ, **environment})

    def _wait_until_ready(self, programs: Sequence[subprocess.Popen[bytes]]) -> None:
        url = f"http://127.0.0.1:{self.settings.port}/health/ready"
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if any(program.poll() is not None for program in programs):
                raise JobError("Web or worker ended at its start; see above.", reason="ended")
            try:
                with urlopen(url, timeout=5):
                    return
            except (URLError, TimeoutError, ConnectionError):
                time.sleep(0.2)
        raise JobError("Web and worker were not ready in time.", reason="too_slow")

    def _add_user(self) -> uuid.UUID:
        with session_scope(self._engine) as session:
            return create_user(
                session,
                name="benchmark",
                full_name="Benchmark",
                password_digest="none",  # noqa: S106 - nobody signs in with a password
                roles=[Role.INVESTIGATOR],
            ).id


def _photo(number: int, vector: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> NewPhoto:
    return NewPhoto(
        subject_external_id=f"random-{number}",
        sha256=sha256(str(number).encode()).hexdigest(),
        source=f"random-{number}.png",
        size_px=(96, 96),
        vector=vector.astype("<f4").tobytes(),
        quality={},
        landmarks=[list(point) for point in _POINTS],
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
