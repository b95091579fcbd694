"""What a report depends on, as short strings that change when it does.

Code counts without its comments and docstrings. A folder of data is known by the names and sizes
of its files, because hashing every picture would take longer than many a report.
"""

from __future__ import annotations

import ast
import functools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import forensic
from forensic.files import sha256_of_bytes, sha256_of_file
from forensic.weights.store import BUNDLED

SCIENCE = (
    "backbones",
    "datasets",
    "embedders",
    "faces",
    "gallery",
    "generators",
    "identification",
    "images",
    "layers",
    "metrics",
    "sketches",
    "stats",
)
"""Packages of `forensic` on which the figures of a report depend."""

MODULES = ("build_dataset", "evaluate_images", "heldout", "pair_dataset")
"""Of `pipelines`, likewise; beside those of `benchmark` and `papers`."""

SUFFIXES = (".safetensors", ".json")
"""Of weights files: networks, and fusions of methods."""


@functools.cache
def code_key() -> str:
    """Return a hash of the code on which figures depend."""
    package = Path(forensic.__file__).parent
    pipelines = Path(__file__).parents[2]
    folders = [package / name for name in SCIENCE]
    folders += [pipelines / "benchmark", pipelines / "papers"]
    paths = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    paths += [pipelines / f"{name}.py" for name in MODULES]
    return sha256_of_bytes("\n".join(map(meaning, paths)).encode())


def data_key(path: Path) -> str:
    """Return what tells that data have changed: a file's hash, or a folder's names and sizes.

    Raises:
        OSError: It cannot be read.
    """
    if path.is_file():
        return sha256_of_file(path)
    return sha256_of_bytes(json.dumps(sorted(_sizes(path))).encode())


def weights_key(stem: str, folder: Path) -> str | None:
    """Return the SHA-256 of a weights file that comes with the package or lies in `folder`."""
    places = [place / f"{stem}{suffix}" for place in (BUNDLED, folder) for suffix in SUFFIXES]
    found = next((path for path in places if path.is_file()), None)
    return sha256_of_file(found) if found else None


def digest(parts: Mapping[str, str]) -> str:
    """Return one hash over all that a report depends on."""
    return sha256_of_bytes(json.dumps(dict(parts), sort_keys=True).encode())


def meaning(path: Path) -> str:
    """Return a module as a syntax tree without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            node.body = [line for line in node.body if not _is_text(line)]
    return f"{path.name}\n{ast.dump(tree)}"


def _is_text(line: ast.stmt) -> bool:
    """Answer whether a statement is a bare string, as docstrings are."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(parent) / name
            yield path.relative_to(folder).as_posix(), path.stat().st_size
