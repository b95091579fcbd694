"""How much each trained network had seen, as far as the files beside its weights say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from forensic.files import read_json
from forensic.weights.catalogue import load_catalogue
from forensic.weights.store import BUNDLED
from pipelines.papers.tables import WEIGHTS_SUFFIX, PaperTable

COUNT = re.compile(r"\d[\d,]*")
"""How a card begins what it says of the images seen; words may follow."""


def read_images_seen(folders: Sequence[Path]) -> dict[str, int]:
    """Return the images that networks were trained on, by the SHA-256 of their weights.

    Args:
        folders: Of the user's weights, with the records that `forensic train` writes beside them;
            the networks of the package are always among those returned.
    """
    seen = {}
    for name, entry in load_catalogue().items():
        measured = BUNDLED / f"{name}.results.json"
        if entry.is_bundled and measured.is_file():
            told = read_json(measured).get("Training", {}).get("Images seen", "")
            if number := COUNT.match(str(told)):
                seen[entry.sha256] = int(number[0].replace(",", ""))
    for folder in folders:
        for weights in folder.rglob(f"*{WEIGHTS_SUFFIX}"):
            seen |= _read_record(weights.with_suffix(".json"))
    return seen


def _read_record(path: Path) -> dict[str, int]:
    """Return what one record says; weights that somebody copied without it say nothing."""
    try:
        record = read_json(path)
        return {str(record["sha256"]): int(record["progress"]["images_seen"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def state_training(tables: Sequence[PaperTable], seen: Mapping[str, int]) -> list[PaperTable]:
    """Return tables whose rows name the images that their network had seen."""
    return [
        replace(
            table,
            rows=[replace(row, images_seen=seen.get(row.weights_sha256, 0)) for row in table.rows],
        )
        for table in tables
    ]
