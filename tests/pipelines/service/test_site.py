from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.models import Gallery
from db.queries.indexes import active_generations
from db.queries.rows import get_row
from db.session import session_scope
from forensic.images.io import decode_image
from pipelines.service.site import ServiceSite, draw_sketches


def test_a_filled_site_has_a_published_gallery_of_so_many_persons(tmp_path: Path) -> None:
    site = ServiceSite(tmp_path)
    site.fill(120)
    with session_scope(site._engine, read_only=True) as session:
        (published,) = active_generations(session)
        assert published.photo_count == 120
        gallery = get_row(session, Gallery, published.gallery_id)
        assert (str(gallery.id), gallery.embedder) == (site.gallery_id, "sketchface")


def test_sketches_differ_and_are_pictures() -> None:
    one, other = draw_sketches(2)
    assert one != other
    assert decode_image(one, name="sketch").ndim == 3


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system tells no such time")
def test_processor_time_is_that_of_the_worker(tmp_path: Path) -> None:
    site = ServiceSite(tmp_path)
    assert site.worker_cpu_s() is None  # nothing runs
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        site._worker = process
        spent = site.worker_cpu_s()
        process.communicate(b"\n")
    assert spent is not None
    assert spent >= 0.3 - 2 / os.sysconf("SC_CLK_TCK")
