"""The API `/api/v1`: one module per family of resources, described by OpenAPI 3.1."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

import forensic
from forensic.values import LEAD_ONLY
from forensic.web.api import (
    benchmarks,
    cases,
    docs,
    galleries,
    jobs,
    oversight,
    probes,
    renditions,
    reports,
    reviews,
    searches,
    session,
    subjects,
    users,
)
from forensic.web.api.frame import PREFIX, ProblemSchema
from forensic.web.problems import MEDIA_TYPE

FAMILIES = (
    session.family,
    users.family,
    cases.family,
    probes.family,
    renditions.family,
    searches.family,
    reviews.family,
    reports.family,
    galleries.family,
    subjects.family,
    benchmarks.family,
    jobs.family,
    oversight.family,
)


class ProblemApi(Api):  # type: ignore[misc]
    """The document of an API whose errors are RFC 9457 problems."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        super()._register_responses()
        for response in self.spec.components.responses_lazy.values():
            content = response.get("content", {})
            if "application/json" in content:
                content[MEDIA_TYPE] = content.pop("application/json")

    def _register_error_handlers(self) -> None:
        """Leave errors to `forensic.web.errors`."""


def register(app: Flask) -> None:
    """Serve the API, its description and its own page of documentation."""
    app.config.update(
        API_TITLE="forensic",
        API_VERSION=forensic.__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {"description": LEAD_ONLY, "license": {"name": "Apache-2.0"}},
            "components": {
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-forensic"},
                }
            },
            "security": [{"bearer": []}, {"session": []}],
        },
    )
    api = ProblemApi(app)
    for family in FAMILIES:
        api.register_blueprint(family.blueprint, url_prefix=PREFIX)
    app.register_blueprint(docs.blueprint)
