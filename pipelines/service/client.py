"""A program that uses the API of a service: uploads a sketch, waits, and reads the list."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forensic.errors import JobError

POLL_S = 0.02
PATIENCE_S = 300.0
CASE = {
    "offence": "none",
    "legal_basis": "none: nobody in it exists",
    "purpose": "measuring speed",
}


@dataclass(frozen=True)
class SearchRun:
    """One sketch from upload to list.

    Attributes:
        wall_ms: As seen from outside, waiting included.
        worker_ms: From taking up to ending the worker's two jobs, landmarks and search.
        stages_ms: Of it, by stage; `records` is what the search spends beside its stages.
    """

    search_id: str
    wall_ms: float
    worker_ms: float
    stages_ms: dict[str, float]


class Client:
    """One user with a key and a connection of their own; for one thread.

    Args:
        port: Of the web on this machine.
        key: Bearer key.
    """

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._headers = {"Authorization": f"Bearer {key}"}

    def status_of(self, path: str) -> int:
        """Return the status of a GET; 599 where the connection breaks."""
        try:
            return self._ask("GET", path)[0]
        except JobError:
            return 599

    def get(self, path: str) -> Any:
        """Return what a GET gives.

        Raises:
            JobError: It was refused.
        """
        return self._taken(*self._ask("GET", path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return what a POST gives.

        Raises:
            JobError: It was refused.
        """
        headers = {"Content-Type": "application/json"}
        return self._taken(*self._ask("POST", path, json.dumps(body).encode(), headers))

    def upload(self, path: str, fields: dict[str, str], sketch: bytes) -> Any:
        """Return what a form with a sketch gives.

        Raises:
            JobError: It was refused.
        """
        line = uuid.uuid4().hex
        parts = [
            f'--{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = (
            f'--{line}\r\nContent-Disposition: form-data; name="sketch"; filename="s.png"\r\n\r\n'
        )
        body = b"".join([*parts, head.encode(), sketch, f"\r\n--{line}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={line}"}
        return self._taken(*self._ask("POST", path, body, headers))

    def open_case(self, number: str) -> str:
        """Open a case and return its id.

        Raises:
            JobError: It was refused.
        """
        return str(self.post("/cases", {**CASE, "number": number})["id"])

    def search(
        self,
        case_id: str,
        sketch: bytes,
        gallery_id: str,
        *,
        generator: str,
        poll_s: float = POLL_S,
    ) -> SearchRun:
        """Send one sketch from upload to ranked list.

        Args:
            case_id: A case that holds no such sketch yet, and that nobody else works in.
            sketch: Its file.
            gallery_id: What is searched.
            generator: Makes the face that is compared beside the sketch.
            poll_s: Pause between two questions whether it is done.

        Raises:
            JobError: A job failed or did not end in time, or a request did not succeed.
        """
        started = time.perf_counter()
        fields = {"kind": "forensic", "source": "benchmark"}
        probe = self.upload(f"/cases/{case_id}/probes", fields, sketch)
        found = self._wait(case_id, "landmarks", poll_s)
        asked = {
            "gallery_id": gallery_id,
            "probe_ids": [probe["id"]],
            "generators": [generator],
        }
        search = self.post(f"/cases/{case_id}/searches", asked)
        searched = self._wait(case_id, "search", poll_s)
        self.get(f"/searches/{search['id']}/candidates")
        wall_ms = (time.perf_counter() - started) * 1000
        timings = self.get(f"/searches/{search['id']}")["search"]["timings_ms"]
        landmarks_ms, search_ms = _duration_ms(found), _duration_ms(searched)
        records_ms = max(0.0, search_ms - sum(timings.values()))
        stages = {"landmarks": landmarks_ms, **timings, "records": records_ms}
        return SearchRun(search["id"], wall_ms, landmarks_ms + search_ms, stages)

    def _wait(self, case_id: str, kind: str, poll_s: float) -> dict[str, Any]:
        """Return the newest job of a case once it has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.get(f"/cases/{case_id}/jobs?limit=1")["items"][0]
            if job["kind"] == kind and job["state"] == "succeeded":
                return job
            if job["state"] in ("failed", "cancelled"):
                raise JobError(f"The {kind} job failed: {job['detail']}.", reason="failed")
            time.sleep(poll_s)
        raise JobError(f"The {kind} job did not end within {PATIENCE_S:.0f} s.", reason="too_slow")

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Return status and content.

        Raises:
            JobError: The connection broke.
        """
        try:
            self._connection.request(
                method, "/api/v1" + path, body, {**self._headers, **(headers or {})}
            )
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise JobError(f"The connection broke: {error!r}.", reason="connection") from error

    def _taken(self, status: int, body: bytes) -> Any:
        if status >= 400:
            raise JobError(f"The service answered {status}: {body[:300]!r}.", reason="refused")
        return json.loads(body)


def _duration_ms(job: dict[str, Any]) -> float:
    begun, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "ended_at"))
    return (ended - begun).total_seconds() * 1000
