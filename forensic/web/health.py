"""`/health/live` and `/health/ready`: may this process be sent requests?"""

from __future__ import annotations

from collections.abc import Callable
from urllib.request import urlopen

from flask import Blueprint, Response, jsonify

import forensic
from db.errors import RecordError
from db.migrations import check_engine
from forensic.errors import ForensicError
from forensic.web import records

WORKER_TIMEOUT_S = 1.0
blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
def live() -> Response:
    """Return 200 as long as the process answers at all."""
    return jsonify(status="live")


@blueprint.get("/ready")
def ready() -> tuple[Response, int]:
    """Return 200 if the database, files and worker can be used, else 503 and what cannot."""
    service = records.service()
    checks: dict[str, Callable[[], object]] = {
        "database": lambda: check_engine(service.engine),
        "files": lambda: service.store.exists("0" * 64),
        "worker": lambda: _ask_worker(service.settings.worker_port),
    }
    states = {name: _state(check) for name, check in checks.items()}
    is_ready = all(state == "ok" for state in states.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": states}
    return jsonify(body | {"version": forensic.__version__}), 200 if is_ready else 503


def _ask_worker(port: int) -> None:
    """Ask the worker on this machine; it answers once its models are warm."""
    with urlopen(f"http://127.0.0.1:{port}/health", timeout=WORKER_TIMEOUT_S):
        pass


def _state(check: Callable[[], object]) -> str:
    try:
        check()
    except (ForensicError, RecordError, OSError) as error:
        return type(error).__name__
    return "ok"
