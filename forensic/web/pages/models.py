"""Pages of the models: what each weights file is, under which terms, and how well it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from forensic.cases.permissions import Action, check
from forensic.web.auth import current_actor
from forensic.weights.catalogue import WeightsEntry, load_catalogue
from forensic.weights.store import BUNDLED

blueprint = Blueprint("models", __name__, url_prefix="/models")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """GET /models: 200 every model that this version knows."""
    check(current_actor(), Action.VIEW_MODELS)
    entries = sorted(load_catalogue().values(), key=_order)
    return render_template("models.html.j2", models=entries)


def _order(entry: WeightsEntry) -> tuple[bool, str, str]:
    """What works without fetching comes first."""
    return not entry.is_bundled, entry.task, entry.name


@blueprint.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """GET /models/NAME: 200 the model's card, 404."""
    check(current_actor(), Action.VIEW_MODELS)
    catalogue = load_catalogue()
    if name not in catalogue:
        abort(404)
    entry = catalogue[name]
    return render_template("model.html.j2", model=entry, results=measured(entry))


def measured(entry: WeightsEntry) -> Mapping[str, Mapping[str, Any]]:
    """Return the figures recorded beside bundled weights: title to measure to value."""
    path = BUNDLED / f"{Path(entry.file).stem}.results.json"
    if not (entry.is_bundled and path.is_file()):
        return {}
    tables: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return tables
