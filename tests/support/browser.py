"""A real browser on a real server, watched: what it asks for, and what axe finds wrong."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHROMIUM = "FORENSIC_TEST_CHROMIUM"
_PLACES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_MS = 120_000
SERIOUS = frozenset({"serious", "critical"})


def find_chromium() -> Path | None:
    """Return the installed Chromium, None where there is none."""
    given = os.environ.get(CHROMIUM)
    if given:
        return Path(given)
    found = next(filter(None, map(shutil.which, _PLACES)), None)
    return Path(found) if found else None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; where there is none, skip the test, but with CI set fail it."""
    program = find_chromium()
    if program is None:
        reason = f"No Chromium here: run deploy/install_services.sh or set {CHROMIUM}."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app on a free port of this machine; yields its address."""
    server = make_server("127.0.0.1", 0, _in_one_piece(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def _in_one_piece(app: Flask) -> WSGIApplication:
    """Read every answer whole: Werkzeug leaves its file open where the browser hangs up midway."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as body:
            return [b"".join(body)]

    return answer


class Desk:
    """One person's browser.

    Attributes:
        page: What they see.
        asked: Address of every request that the browser made.
        faults: What axe found serious on the pages that were checked.
        complaints: Errors on the console, such as what the Content-Security-Policy refused.
    """

    def __init__(self, browser: Browser, address: str) -> None:
        self.context: BrowserContext = browser.new_context(
            base_url=address,
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",  # else axe may look at colours that are still changing
        )
        self.context.set_default_timeout(TIMEOUT_MS)
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, name: str, password: str) -> None:
        """Sign in through the form."""
        self.page.goto("/sign-in")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")

    def press(self, name: str, *, within: str = "main") -> None:
        """Press a button that sends a form, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.locator(within).get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow a link of the page."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=True).first.click()

    def check(self) -> None:
        """Let axe look at the page, wide and light, narrow and dark; note what is serious."""
        for width, scheme in ((1280, "light"), (360, "dark")):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found: dict[str, Any] = Axe().run(self.page).response
            self.faults += [
                f"{self.page.url} at {width}: {fault['id']} {fault['nodes'][0]['html']}"
                for fault in found["violations"]
                if fault["impact"] in SERIOUS
            ]
            too_wide = self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if too_wide > 0:
                self.faults.append(f"{self.page.url} is {too_wide} px wider than {width}")
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.emulate_media(color_scheme="light")

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{self.page.url}: {message.text}")
