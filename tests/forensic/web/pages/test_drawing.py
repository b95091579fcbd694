from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from forensic.jobs.preview import PreviewServer
from forensic.web import records
from tests.support.service import png

from .conftest import Scene

PNG = "image/png"


@pytest.fixture
def worker(scene: Scene) -> Iterator[list[bytes]]:
    """A worker that turns every drawing into another picture; yields what it was asked."""
    asked: list[bytes] = []

    def answer(picture: bytes, generator: str) -> bytes:
        asked.append(picture)
        return png(99)

    service: records.Service = scene.site.app.extensions[records.EXTENSION]
    server = PreviewServer(answer, port=0, token=service.settings.preview_token)
    settings = service.settings.model_copy(update={"worker_port": server.port})
    scene.site.app.extensions[records.EXTENSION] = replace(service, settings=settings)
    server.start()
    yield asked
    server.stop()


def test_a_preview_is_what_the_worker_makes_and_nothing_is_kept(
    scene: Scene, worker: list[bytes]
) -> None:
    client = scene.client("ines")
    before = len(list(scene.site.settings.data_folder.rglob("*")))
    answer = client.post("/draw/preview", data=png(5), content_type=PNG)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, PNG, png(99))
    assert answer.headers["Cache-Control"] == "no-store"
    assert worker == [png(5)]
    assert before == len(list(scene.site.settings.data_folder.rglob("*")))


def test_what_is_no_picture_never_reaches_the_worker(scene: Scene, worker: list[bytes]) -> None:
    answer = scene.client("ines").post("/draw/preview", data=b"no picture", content_type=PNG)
    assert answer.status_code == 422
    assert "not an image" in answer.json["detail"]
    assert worker == []


def test_without_a_worker_the_board_says_what_to_do(scene: Scene) -> None:
    service: records.Service = scene.site.app.extensions[records.EXTENSION]
    settings = service.settings.model_copy(update={"worker_port": 9})
    scene.site.app.extensions[records.EXTENSION] = replace(service, settings=settings)
    answer = scene.client("ines").post("/draw/preview", data=png(5), content_type=PNG)
    assert answer.status_code == 503
    assert "forensic worker" in answer.json["detail"]


@pytest.mark.parametrize("name", ["gita", "aude", "adam"])
def test_previews_are_for_those_who_work_on_cases(scene: Scene, name: str) -> None:
    answer = scene.client(name).post("/draw/preview", data=png(5), content_type=PNG)
    assert answer.status_code == 403


def test_a_preview_needs_the_token_of_the_session(scene: Scene) -> None:
    client = scene.client("ines")
    del client.environ_base["HTTP_X_CSRF_TOKEN"]
    assert client.post("/draw/preview", data=png(5), content_type=PNG).status_code == 403


def test_the_board_draws_in_the_geometry_of_the_generators(scene: Scene) -> None:
    page = scene.client("ines").get(f"/cases/{scene.case_id}/draw").text
    assert "matrix(1.2095 0 0 1.343 -53.6 -107.5)" in page
    assert f'action="/cases/{scene.case_id}/probes"' in page
    assert "nothing on this page is kept" in scene.client("ines").get("/draw").text
