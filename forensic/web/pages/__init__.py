"""The web pages: server-rendered, one blueprint per kind of record, under one parent.

A view reads the request, calls one service, and renders one template. Nothing here decides who
may do what; pages only ask `permissions.may` so as not to show what would be refused.
"""

from __future__ import annotations

from flask import Blueprint, Flask

from forensic.web.pages import (
    account,
    audit,
    benchmarks,
    cases,
    drawing,
    galleries,
    jobs,
    models,
    probes,
    reports,
    review,
    searches,
    users,
)
from forensic.web.pages.frame import frame

BLUEPRINTS = (
    account.blueprint,
    audit.blueprint,
    benchmarks.blueprint,
    cases.blueprint,
    drawing.blueprint,
    galleries.blueprint,
    jobs.blueprint,
    models.blueprint,
    probes.blueprint,
    reports.blueprint,
    review.blueprint,
    searches.blueprint,
    users.blueprint,
)


def register(app: Flask) -> None:
    """Add every page to an app, with what frames them."""
    pages = Blueprint("pages", __name__)
    for blueprint in BLUEPRINTS:
        pages.register_blueprint(blueprint)
    app.register_blueprint(pages)
    frame(app)
