"""What supervisors and Prometheus read, and the headers that every answer carries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from db.models import Role
from tests.support.web import Site, settings_of


class WarmWorker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def worker_port() -> Iterator[int]:
    """The port of something that answers like a worker whose models are warm."""
    server = HTTPServer(("127.0.0.1", 0), WarmWorker)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_live_as_long_as_it_answers(site: Site) -> None:
    assert site.app.test_client().get("/health/live").json == {"status": "live"}


def test_not_ready_without_a_worker_and_says_so(site: Site) -> None:
    answer = site.app.test_client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"] == "ok"
    assert answer.json["checks"]["worker"] != "ok"


def test_ready_with_all_it_needs(site: Site, worker_port: int, tmp_path: Path) -> None:
    again = Site(settings_of(tmp_path, worker_port=worker_port), site.app)
    answer = again.app.test_client().get("/health/ready")
    assert answer.status_code == 200, answer.json
    again.engine.dispose()


def test_figures_count_requests_refusals_and_events(site: Site) -> None:
    client = site.with_key(site.add_person("ann", Role.INVESTIGATOR), Role.INVESTIGATOR)
    client.get("/api/v1/cases")
    client.get("/api/v1/users?limit=0")
    text = site.app.test_client().get("/metrics").get_data(as_text=True)
    assert 'forensic_request_seconds_count{endpoint="cases.list_cases"' in text
    assert 'forensic_refusals_total{code="validation_failed"}' in text
    assert "forensic_audit_events 1.0" in text


def test_figures_are_for_this_machine_or_the_key(site: Site, tmp_path: Path) -> None:
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    client = site.app.test_client()
    assert client.get("/metrics", environ_overrides=elsewhere).status_code == 401
    keyed = Site(settings_of(tmp_path, metrics_key=SecretStr("k" * 32)), site.app)
    assert client.get("/metrics").status_code == 401
    headers = {"Authorization": f"Bearer {'k' * 32}"}
    answer = client.get("/metrics", headers=headers, environ_overrides=elsewhere)
    assert answer.status_code == 200
    keyed.engine.dispose()


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/cases", "/nothing", "/health/live", "/docs"])
def test_every_answer_is_protected(site: Site, path: str) -> None:
    headers = site.app.test_client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


def test_request_ids_of_strangers_are_not_believed(site: Site) -> None:
    answer = site.app.test_client().get("/health/live", headers={"X-Request-Id": "forged-id-1"})
    assert answer.headers["X-Request-Id"] != "forged-id-1"


def test_what_a_view_did_before_refusing_is_undone(site: Site) -> None:
    from flask import Response

    from forensic.cases.actor import command_actor
    from forensic.cases.audit import Tag, record
    from forensic.web import records
    from tests.support.service import events_of

    def half_done() -> Response:
        record(records.session(), command_actor(), Tag.CASES_LISTED)
        return Response(json.dumps({}), 422)

    live = site.app.view_functions["health.live"]
    site.app.view_functions["health.live"] = half_done
    try:
        assert site.app.test_client().get("/health/live").status_code == 422
    finally:
        site.app.view_functions["health.live"] = live
    with site.session() as session:
        assert events_of(session, Tag.CASES_LISTED) == []
