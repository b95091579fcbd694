from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensic.cli.serve import serve

COMMAND = [sys.executable, "-c", "from pipelines.cli import main; main()", "serve"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def address(migrated_sqlite: Path, tmp_path: Path) -> Iterator[str]:
    """Where a server of its own answers."""
    shutil.copy(migrated_sqlite, tmp_path / "records.db")
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("FORENSIC_")},
        "FORENSIC_SECRET_KEY": "0123456789" * 4,
        "FORENSIC_DATA_FOLDER": str(tmp_path),
        "FORENSIC_PORT": str(port),
    }
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        told = []
        for line in server.stderr:
            told.append(line)
            if "Ready at" in line:
                break
        else:
            pytest.fail("".join(told))
        yield f"http://127.0.0.1:{port}"
        server.send_signal(signal.SIGTERM)
        rest = server.stderr.read()
        assert server.wait(timeout=120) == 0, rest
        lines = [json.loads(line) for line in rest.splitlines() if line.startswith("{")]
        assert any(line["message"] == "request" for line in lines)


def test_server_answers_and_protects_itself(address: str) -> None:
    with urllib.request.urlopen(f"{address}/health/live", timeout=120) as answer:
        assert json.load(answer) == {"status": "live"}
        assert "max-age" in answer.headers["Strict-Transport-Security"]
    with urllib.request.urlopen(f"{address}/sign-in", timeout=120) as page:
        cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-forensic=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_server_does_not_start_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FORENSIC_")]:
        monkeypatch.delenv(name)
    refused = CliRunner().invoke(serve, [])
    assert "FORENSIC_SECRET_KEY" in str(refused.exception)
