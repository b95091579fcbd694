"""One case from the first sign-in to the exported bundle, in a real browser.

Everything is real: web, worker, models, browser. The people are phantoms, who do not exist.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from db.migrations import upgrade
from db.models import Role
from db.queries.jobs import list_waiting_jobs
from forensic.images.io import encode_image
from forensic.jobs.galleries.hold import this_process
from forensic.jobs.galleries.searching import GallerySearcher
from forensic.jobs.handlers.preview import preview_with
from forensic.jobs.handlers.registry import HANDLERS
from forensic.jobs.models import ModelShelf
from forensic.jobs.preview import PreviewServer
from forensic.jobs.tasks import Workshop, run_job
from forensic.phantoms import create_person, render_photo
from forensic.sketches.registry import SKETCH_STYLES
from tests.support.browser import Desk, chromium, served
from tests.support.web import PASSWORD, Site, settings_of

PEOPLE = {
    "ines": Role.INVESTIGATOR,
    "emil": Role.EXAMINER,
    "edda": Role.EXAMINER,
    "enno": Role.EXAMINER,
    "gita": Role.GALLERY_MANAGER,
    "aude": Role.AUDITOR,
}
ENROLLED = 6
LISTED = 3


@contextmanager
def working(site: Site) -> Iterator[None]:
    """Do the jobs of a site in a thread of this process, as its worker would."""
    models = ModelShelf()
    shop = Workshop(
        engine=site.engine,
        store=site.store,
        galleries=site.settings.indexes_folder,
        models=models,
        searcher=GallerySearcher(site.engine, site.settings.indexes_folder),
        worker=this_process(),
        lease=timedelta(minutes=5),
    )
    previews = PreviewServer(
        preview_with(models), port=site.settings.worker_port, token=site.settings.preview_token
    )
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            with site.session() as session:
                waiting = [job.id for job in list_waiting_jobs(session)]
            for job_id in waiting:
                run_job(shop, job_id, HANDLERS)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    previews.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        previews.stop()


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address beyond this machine that this process tries to reach."""
    reached: list[object] = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            reached.append(address)
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", watched)
    return reached


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    upgrade(f"sqlite:///{tmp_path}/service.db")
    site = Site(settings_of(tmp_path, worker_port=port))
    for name, role in PEOPLE.items():
        site.add_person(name, role)
    with working(site):
        yield site
    site.engine.dispose()


def draw_people(folder: Path) -> tuple[Path, Path]:
    """Write a ZIP of gallery photos, with one file that is none, and a sketch of one person."""
    archive = folder / "photos.zip"
    with zipfile.ZipFile(archive, "w") as photos:
        for number in range(ENROLLED):
            photo, _ = render_photo(create_person(number), 10 + number)
            photos.writestr(f"P-{number:03d}.png", encode_image(photo))
        photos.writestr("P-900.png", b"not a picture")
    seen, _ = render_photo(create_person(2), 90)
    drawn = SKETCH_STYLES["pencil-gray"](seen)
    sketch = folder / "sketch.png"
    sketch.write_bytes(encode_image(drawn.repeat(3, axis=2) if drawn.shape[2] == 1 else drawn))
    return archive, sketch


@pytest.mark.slow
def test_a_case_from_sign_in_to_export(site: Site, tmp_path: Path, strangers: list[object]) -> None:
    archive, sketch = draw_people(tmp_path)
    with served(site.app) as address, chromium() as browser:
        desks = {name: Desk(browser, address) for name in PEOPLE}
        for name, desk in desks.items():
            desk.sign_in(name, PASSWORD)
        fill_gallery(desks["gita"], archive)
        case = open_case(desks["ines"], sketch)
        correct_landmarks(desks["ines"])
        draw(desks["ines"], case)
        search, best = search_gallery(desks["ines"], case)
        review(desks["emil"], search, best, key="1", note="same brows")
        review(desks["edda"], search, best, key="3", note="hair not drawn")
        adjudicate(desks["enno"], search)
        bundle = export(desks["ines"], case)
        verify(desks["aude"])
        for desk in desks.values():
            assert desk.asked
            assert [url for url in desk.asked if not url.startswith((address, "blob:"))] == []
            assert desk.faults == []
            assert desk.complaints == []
    assert strangers == []
    check_bundle(bundle)


def fill_gallery(desk: Desk, archive: Path) -> None:
    page = desk.page
    page.goto("/galleries")
    page.get_by_label("Name").fill("Phantoms")
    page.get_by_label("Purpose").fill("people who do not exist")
    page.get_by_label("Embedder").select_option("sketchface")
    desk.check()
    desk.press("Make the gallery")
    page.locator("input[name=archive]").set_input_files(archive)
    page.get_by_label("Who is on a photo").select_option("file")
    desk.check()
    desk.press("Import")
    page.get_by_text("P-900.png").wait_for()
    page.wait_for_selector("text=/succeeded/")
    assert page.get_by_role("link", name="All as CSV").is_visible()
    desk.check()


def open_case(desk: Desk, sketch: Path) -> str:
    page = desk.page
    page.goto("/cases")
    desk.check()
    desk.follow("Open a case")
    page.get_by_label("Case number").fill("2026/0417")
    page.get_by_label("Offence").fill("Robbery")
    page.get_by_label("Legal basis").fill("Order 12")
    page.get_by_label("Purpose").fill("Leads for the inquiry")
    desk.check()
    desk.press("Open the case")
    case = page.url.partition("?")[0]
    for name in ("Emil", "Edda", "Enno"):
        option = page.locator("select[name=user_id] option", has_text=name)
        page.locator("select[name=user_id]").select_option(option.get_attribute("value"))
        desk.press("Assign")
    page.locator("input[name=sketch]").set_input_files(sketch)
    page.get_by_label("Where it came from").fill("Interview of witness 1")
    desk.check()
    desk.press("Seal the sketch")
    return case


def correct_landmarks(desk: Desk) -> None:
    page = desk.page
    nose = page.get_by_role("button", name=re.compile("Tip of the nose"))
    nose.wait_for()  # the page reloads by itself once the face is found
    before = float(page.locator("input[name=x2]").input_value())
    nose.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert float(page.locator("input[name=x2]").input_value()) == pytest.approx(before + 2)
    eye = page.get_by_role("button", name=re.compile("Eye on the left"))
    eye.hover()
    box = eye.bounding_box()
    assert box
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 5, box["y"] + box["height"] / 2)
    page.mouse.up()
    desk.check()
    desk.press("Save as version 2")
    assert page.get_by_text("Placed by Ines. Version 2 of 2.").is_visible()


def draw(desk: Desk, case: str) -> None:
    page = desk.page
    page.goto(f"{case}/draw")
    desk.check()
    paper = page.locator("canvas.ink")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    assert box
    for x in (0.35, 0.65):
        page.mouse.move(box["x"] + box["width"] * (x - 0.05), box["y"] + box["height"] * 0.4)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * (x + 0.05), box["y"] + box["height"] * 0.4)
        page.mouse.up()
    undo = page.get_by_role("button", name="Undo")
    assert undo.is_enabled()
    undo.click()
    assert page.get_by_role("button", name="Redo").is_enabled()
    page.wait_for_selector(".live img[src^='blob:']")
    page.get_by_text("Up to date with the drawing.").wait_for()
    page.get_by_label("Where it came from").fill("Drawn by witness 2")
    desk.press("Seal the drawing")
    page.get_by_text("Place the five points by hand").first.wait_for()  # two strokes are no face
    desk.check()


def search_gallery(desk: Desk, case: str) -> tuple[str, str]:
    """Search with the sketch and a face made from it; return the search and its best candidate."""
    page = desk.page
    page.goto(case)
    desk.follow("Search a gallery")
    page.locator("input[name=probe_ids]:enabled").check()
    assert page.get_by_label("Fusion").input_value() == "best"
    page.get_by_label("A face made by csi-line").check()
    page.get_by_label("Fusion").select_option("mean")  # of what is chosen above
    page.get_by_label("Length of the list").fill(str(LISTED))
    desk.check()
    desk.press("Search")
    page.get_by_role("heading", name=f"{LISTED} leads from Phantoms").wait_for()
    assert page.get_by_text("Rank 1").first.is_visible()
    desk.check()
    best = page.locator(".tiles img[src^='/candidates/']").first.get_attribute("src") or ""
    return page.url.partition("?")[0], best.split("/")[2]


def review(desk: Desk, search: str, target: str, *, key: str, note: str) -> None:
    """Decide by keyboard on every candidate, on the target differently."""
    page = desk.page
    page.goto(search)
    assert page.get_by_text("Rank 1").count() == 0
    desk.check()
    desk.follow("Review")
    for number in range(LISTED):
        page.locator(".pane[data-role=candidate] canvas").wait_for()
        if number == 0:
            page.keyboard.press("f")
            assert page.get_by_role("button", name="Flip").get_attribute("aria-pressed") == "true"
            page.keyboard.press("o")
            assert page.locator("[name=over]").input_value() == "50"
            desk.check()
        is_target = target in page.url
        page.keyboard.press(key if is_target else "2")
        page.keyboard.press("n")
        page.keyboard.type(note if is_target else "another nose")
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")
    assert page.get_by_text("You have decided on every candidate.").first.is_visible()
    assert page.get_by_text("Rank 1").first.is_visible()


def adjudicate(desk: Desk, search: str) -> None:
    page = desk.page
    page.goto(f"{search}/adjudication")
    assert page.get_by_text("same brows").first.is_visible()
    assert page.get_by_text("hair not drawn").first.is_visible()
    page.get_by_label("Inconclusive").check()
    page.get_by_label("Reason").fill("the hairline decides, and it is not drawn")
    desk.check()
    desk.press("Adjudicate")
    assert page.get_by_text("Adjudicated.", exact=True).is_visible()


def export(desk: Desk, case: str) -> bytes:
    page = desk.page
    page.goto(f"{case}/reports")
    desk.check()
    desk.press("Write")
    row = page.locator("tr", has=page.get_by_text("ZIP", exact=True))
    row.wait_for()
    with page.expect_download() as download:
        row.get_by_role("link").click()
    return download.value.path().read_bytes()


def verify(desk: Desk) -> None:
    page = desk.page
    page.goto("/audit?case=2026/0417")
    desk.check()
    for happened in ("Report exported", "Adjudication decided", "Search done", "Case opened"):
        page.goto(f"/audit?case=2026/0417&tag={TAGS[happened]}")
        assert page.get_by_text(happened).first.is_visible()
    desk.press("Verify the chain")
    assert page.get_by_text("none was edited, removed or reordered").is_visible()


TAGS = {
    "Report exported": "cases:report:export",
    "Adjudication decided": "cases:adjudication:decide",
    "Search done": "cases:search:complete",
    "Case opened": "cases:case:open",
}


def check_bundle(bundle: bytes) -> None:
    """Every file of the bundle is the one that its manifest names."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as files:
        manifest = json.loads(files.read("manifest.json"))
        assert set(files.namelist()) == {*manifest["files"], "manifest.json"}
        assert any(name.endswith(".pdf") for name in manifest["files"])
        for name, entry in manifest["files"].items():
            assert hashlib.sha256(files.read(name)).hexdigest() == entry["sha256"], name
