"""`/docs`: the API's description to read and try, from files of this installation only."""

from __future__ import annotations

from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, render_template, send_from_directory

FOLDER = Path(flask_swagger_ui.__file__).parent / "dist"
FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js"})
blueprint = Blueprint("docs", __name__)


@blueprint.get("/docs")
def docs() -> str:
    """Return the page."""
    return render_template("docs.html.j2")


@blueprint.get("/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js'):name>")
def file(name: str) -> Response:
    """Return one of the page's files."""
    return send_from_directory(FOLDER, name)
