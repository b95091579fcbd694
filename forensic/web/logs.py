"""One line of JSON per event on stderr: who asked for what, how it ended, how long it took.

Neither queries, bodies, headers, names, vectors nor pixels are logged: a request is known by its
id, a person by theirs.
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
import uuid
from datetime import UTC, datetime

from flask import Flask, Response, g, request

from forensic.settings import Settings
from forensic.web import auth

_FACTS = ("request_id", "method", "path", "endpoint", "status", "code", "user", "via", "address")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
_log = logging.getLogger("forensic.web")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; of an error its type and place, never its arguments."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            frames = traceback.extract_tb(record.exc_info[2])[-8:]
            line["at_lines"] = [f"{frame.filename}:{frame.lineno}" for frame in frames]
        return json.dumps(line, ensure_ascii=True)


def configure(level: str) -> None:
    """Send what `forensic` logs to stderr as JSON; other libraries' warnings too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("forensic").setLevel(level)


def register(app: Flask, settings: Settings) -> None:
    """Give every request an id, and write one line when it is answered."""
    believes_ids = settings.trusted_proxies > 0

    @app.before_request
    def begin() -> None:
        g.began_s = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        keep = believes_ids and _GIVEN_ID.match(given)
        g.request_id = given if keep else uuid.uuid4().hex

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint != "static":
            _log.info("request", extra={"facts": facts(response)})
        return response


def facts(response: Response) -> dict[str, object]:
    """Return what is logged of a request and its answer."""
    actor = auth.asker()
    values = (
        g.get("request_id"),
        request.method,
        request.path[:200],
        request.endpoint,
        response.status_code,
        g.get("problem_code"),
        str(actor.user_id) if actor.user_id else None,
        actor.via,
        actor.address,
    )
    took_ms = (time.perf_counter() - g.get("began_s", time.perf_counter())) * 1000
    return {**dict(zip(_FACTS, values, strict=True)), "took_ms": round(took_ms, 1)}
