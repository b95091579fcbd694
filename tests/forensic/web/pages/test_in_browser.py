"""Every page in a real browser: axe, the width of a phone, and what only scripts and styles do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from db.queries.jobs import claim_job, end_job, note_progress
from db.queries.subjects import list_subjects
from forensic.reports.html import render_page
from forensic.values import LEAD_ONLY
from tests.support.browser import Desk, chromium, served
from tests.support.service import png
from tests.support.web import PASSWORD

from .conftest import Scene
from .test_benchmarks import ask as ask_for_benchmark

pytestmark = pytest.mark.slow

WALKS = {
    "ines": ("/cases/new", "/cases/{case}", "/cases/{case}/draw", "/cases/{case}/search", "/keys"),
    "emil": ("/searches/{search}", "/searches/{search}/review", "/password", "/no-such-page"),
    "enno": ("/searches/{search}/adjudication", "/models", "/models/sketchface"),
    "gita": ("/galleries/{gallery}", "/galleries/subjects/{subject}", "/benchmarks", "{benchmark}"),
    "aude": ("/audit", "/cases/{case}/reports", "/probes/{probe}"),
    "adam": ("/users", "/users/{user}", "/cases/retention"),
}
"""Who looks at which page; the story of a case sees others."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def finished_benchmark(scene: Scene) -> str:
    """Return the address of a benchmark with a result and a plot."""
    path = ask_for_benchmark(scene).headers["Location"].partition("?")[0]
    rate = {"rank1": 0.5, "ci95": [0.25, 0.75]}
    summary = {"probes": 8, "gallery": 20, "sketch_kind": "viewed", "methods": {"none": rate}}
    files = {"plots/cmc.png": scene.site.store.put(png(3))}
    job_id = uuid.UUID(path.rpartition("/")[2])
    with scene.site.session() as session:
        claim_job(session, job_id, "worker", lease=timedelta(minutes=1))
        note_progress(session, job_id, "worker", {"files": files, "summary": summary})
        end_job(session, job_id, "worker")
    return path


@pytest.mark.parametrize("name", WALKS)
def test_axe_finds_nothing_serious_on_any_page(scene: Scene, browser: Browser, name: str) -> None:
    with scene.site.session() as session:
        subject = list_subjects(session, scene.gallery_id).rows[0].id
    where = {
        "case": scene.case_id,
        "search": scene.search_id,
        "gallery": scene.gallery_id,
        "probe": scene.probe_id,
        "subject": subject,
        "user": scene.people["emil"].id,
        "benchmark": finished_benchmark(scene) if name == "gita" else "",
    }
    with served(scene.site.app) as address:
        desk = Desk(browser, address)
        desk.page.goto("/sign-in")
        if name == "ines":
            desk.check()
        desk.sign_in(name, PASSWORD)
        for path in WALKS[name]:
            desk.page.goto(path.format(**where))
            desk.check()
        assert desk.faults == []
        assert [text for text in desk.complaints if "no-such-page" not in text] == []
        desk.context.close()


def test_the_description_of_the_api_follows_the_colours_of_the_system(
    scene: Scene, browser: Browser
) -> None:
    with served(scene.site.app) as address:
        desk = Desk(browser, address)
        desk.sign_in("ines", PASSWORD)
        desk.page.goto("/docs")
        desk.page.get_by_text("/api/v1/cases", exact=True).first.wait_for()
        paper = "getComputedStyle(document.querySelector('#swagger-ui')).color"
        light = desk.page.evaluate(paper)
        desk.page.emulate_media(color_scheme="dark")
        desk.page.locator("html.dark-mode").wait_for()
        assert desk.page.evaluate(paper) != light
        assert desk.page.get_by_role("link", name="Back to the pages").is_visible()
        assert desk.complaints == []
        desk.context.close()


def test_the_keys_of_the_review_are_listed_on_the_page(scene: Scene, browser: Browser) -> None:
    with served(scene.site.app) as address:
        desk = Desk(browser, address)
        desk.sign_in("emil", PASSWORD)
        desk.page.goto(f"/searches/{scene.search_id}/review")
        keys = desk.page.get_by_text("lay the sketch over the candidate")
        assert keys.is_visible()
        desk.page.keyboard.press("?")
        assert not keys.is_visible()
        desk.page.keyboard.press("?")
        assert keys.is_visible()
        desk.page.get_by_label("Single keys").uncheck()
        desk.page.keyboard.press("f")
        assert desk.page.get_by_role("button", name="Flip").get_attribute("aria-pressed") == "false"
        desk.context.close()


def test_a_printed_report_repeats_the_notice_on_each_page(browser: Browser, tmp_path: Path) -> None:
    """A browser repeats a header group on each page; the notice is one, outside of `main`."""
    page_file = tmp_path / "report.html"
    page_file.write_text(render_page("page.html.j2").replace("<main>", f"<main>{LEAD_ONLY}"))
    page = browser.new_page()
    page.goto(page_file.as_uri())
    display = "s => getComputedStyle(document.querySelector(s)).display"
    assert page.evaluate(display, "body > .notice") == "block"
    page.emulate_media(media="print")
    assert page.evaluate(display, "body > .notice") == "table-header-group"
    assert page.evaluate(display, "main") == "table-row-group"
    page.close()
