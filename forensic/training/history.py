"""The figures of a training, one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from forensic.files import atomic_write


class History:
    """An append-only JSONL file; each line is on disk when `write` returns.

    After a crash the file may hold lines beyond the checkpoint that a training resumes from;
    `truncate_after` removes them, and a line cut short, so that no step appears twice.

    Args:
        path: The file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, **figures: Any) -> None:
        """Append one line."""
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(figures) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """Return all complete lines; an unfinished last line is left out."""
        if not self.path.is_file():
            return []
        lines = []
        for text in self.path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
        return lines

    def truncate_after(self, step: int) -> None:
        """Drop lines of later steps."""
        kept = [line for line in self.read() if line.get("step", 0) <= step]
        with atomic_write(self.path, "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)
