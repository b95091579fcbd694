"""RFC 9457 problem documents: the one shape in which the API says that something went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Response, g

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Fault:
    """One field of a request that cannot be used."""

    field: str
    code: str
    message: str


@dataclass(frozen=True)
class Problem:
    """What went wrong with one request.

    Attributes:
        status: HTTP status.
        code: Stable word for programs, such as `not_found`.
        detail: For people: what was wrong, what to do.
        faults: Which fields were wrong.
        headers: More headers of the answer, such as Allow and Retry-After.
    """

    status: int
    code: str
    detail: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Short name of the status."""
        return HTTPStatus(self.status).phrase

    def response(self) -> Response:
        """Return the problem as an answer of the API."""
        document = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [vars(fault) for fault in self.faults],
            "request_id": g.get("request_id"),
        }
        answer = Response(json.dumps(document), self.status, mimetype=MEDIA_TYPE)
        answer.headers.update(self.headers)
        return answer
