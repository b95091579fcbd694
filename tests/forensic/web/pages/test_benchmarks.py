from __future__ import annotations

import io
import uuid
import zipfile
from datetime import timedelta

import pytest

from db.queries.jobs import claim_job, end_job, note_progress
from forensic.cases.audit import Tag
from tests.support.service import png

from .conftest import Scene


def ask(scene: Scene, who: str = "gita", **changes: object):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as pairs:
        pairs.writestr("photos/a.png", png(1))
        pairs.writestr("sketches/a.png", png(2))
    archive.seek(0)
    fields = {
        "name": "Our pairs",
        "kind": "viewed",
        "embedder": "sketchface",
        "methods": ["none", "csi-line"],
        "archive": (archive, "pairs.zip"),
        **changes,
    }
    return scene.client(who).post("/benchmarks", data=fields)


def test_a_run_shows_its_rates_with_intervals_and_its_plots(scene: Scene) -> None:
    answer = ask(scene)
    assert answer.status_code == 303
    client, path = scene.client("gita"), answer.headers["Location"].partition("?")[0]
    assert "Running the benchmark" in client.get(path).text
    rate = {"rank1": 0.5, "ci95": [0.25, 0.75]}
    result = {
        "files": {
            "plots/cmc.png": scene.site.store.put(png(3)),
            "plots/cmc.svg": scene.site.store.put(b"<svg/>"),
        },
        "summary": {"probes": 8, "gallery": 20, "sketch_kind": "viewed", "methods": {"none": rate}},
    }
    job_id = uuid.UUID(path.rpartition("/")[2])
    with scene.site.session() as session:
        claim_job(session, job_id, "worker", lease=timedelta(minutes=1))
        note_progress(session, job_id, "worker", result)
        end_job(session, job_id, "worker")
    page = client.get(path).text
    assert "8 probes, viewed sketches, a gallery of 20." in page
    assert "50.0 %" in page
    assert "25.0–75.0 %" in page
    assert page.count('class="plot"') == 1
    plot = client.get(f"{path}/files/plots/cmc.png")
    assert (plot.mimetype, plot.data) == ("image/png", png(3))
    assert client.get(f"{path}/files/plots/other.png").status_code == 404
    assert "Our pairs" in client.get("/benchmarks").text


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"kind": "imagined"},
        {"embedder": "unheard-of"},
        {"methods": []},
        {"methods": ["unheard-of"]},
        {"archive": (io.BytesIO(b"no zip"), "x.zip")},
    ],
)
def test_a_run_that_cannot_be_is_refused_with_the_form(
    scene: Scene, changes: dict[str, object]
) -> None:
    answer = ask(scene, **changes)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert scene.n_events(Tag.BENCHMARK_REQUESTED) == 0


def test_runs_are_for_managers_and_examiners(scene: Scene) -> None:
    for name in ("ines", "aude", "adam"):
        assert ask(scene, name).status_code == 403, name
        assert "Run one on your own pairs" not in scene.client(name).get("/benchmarks").text
    assert ask(scene, "emil").status_code == 303
