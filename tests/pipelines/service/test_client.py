from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from db.models import Role
from forensic.errors import JobError
from pipelines.service.client import Client
from tests.support.service import png
from tests.support.web import Site, settings_of

CASE = {"number": "1", "offence": "none", "legal_basis": "none", "purpose": "speed"}


@pytest.fixture
def client(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Client]:
    shutil.copy(migrated_sqlite, tmp_path / "service.db")
    site = Site(settings_of(tmp_path))
    shown = site.with_key(site.add_person("ann", Role.INVESTIGATOR), Role.INVESTIGATOR)
    key = str(shown.environ_base["HTTP_AUTHORIZATION"]).removeprefix("Bearer ")
    server = make_server("127.0.0.1", 0, site.app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Client(server.port, key)
    server.shutdown()
    thread.join()
    server.server_close()
    site.engine.dispose()


def test_sketch_arrives_as_it_was_sent(client: Client) -> None:
    case_id = client.post("/cases", CASE)["id"]
    fields = {"kind": "forensic", "source": "benchmark"}
    probe = client.upload(f"/cases/{case_id}/probes", fields, png())
    assert probe["size_bytes"] == len(png())
    assert client.status_of(f"/probes/{probe['id']}/image") == 200


def test_refusals_are_told(client: Client) -> None:
    with pytest.raises(JobError, match="422"):
        client.post("/cases", {})
    assert client.status_of("/nothing") == 404


def test_broken_connection_counts_as_an_error() -> None:
    assert Client(1, "key").status_of("/cases") == 599
