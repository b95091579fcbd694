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
from forensic.errors import RecipeError
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
"""Packages of `forensic` on which figures depend; those that only show or keep them do not."""

ENTRIES = {
    "dataset boundaries": "pipelines.boundaries",
    "dataset build": "pipelines.build_dataset",
    "dataset pairs": "pipelines.pair_dataset",
    "benchmark ablation": "pipelines.benchmark.ablation",
    "benchmark cohorts": "pipelines.benchmark.cohorts",
    "benchmark cuhk": "pipelines.benchmark.cufs",
    "benchmark fusion": "pipelines.benchmark.fusing",
    "benchmark heldout": "pipelines.benchmark.heldout",
    "benchmark lfw": "pipelines.benchmark.lfw",
    "benchmark pairs": "pipelines.benchmark.pairs",
    "benchmark papers": "pipelines.papers.registry",
    "benchmark verify": "pipelines.benchmark.verify",
    "evaluate": "pipelines.evaluate_images",
}
"""Where the work of a command begins: what it imports from there, however indirectly, counts."""

ROOTS = {"forensic": Path(forensic.__file__).parent, "pipelines": Path(__file__).parents[2]}

SUFFIXES = (".safetensors", ".json")
"""Of weights files: networks, and fusions of methods."""


@functools.cache
def code_key(command: str) -> str:
    """Return a hash of the code on which the figures of a command depend.

    Args:
        command: Words after `forensic`.

    Raises:
        RecipeError: Nobody knows where the work of this command begins.
    """
    entry = next((ENTRIES[name] for name in ENTRIES if f"{command} ".startswith(f"{name} ")), None)
    if entry is None:
        raise RecipeError(f"A report cannot be made by `forensic {command[:40]} …`.")
    modules = sorted(modules_behind(entry))
    return sha256_of_bytes("\n".join(meaning(path) for path in modules).encode())


def modules_behind(entry: str) -> set[Path]:
    """Return the files of a module and of all it imports that bear on figures."""
    seen: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _imported(_file(name))
    return {_file(name) for name in seen if _bears_on_figures(name)}


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


@functools.cache
def meaning(path: Path) -> str:
    """Return a module as a syntax tree without docstrings."""
    tree = _parse(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            node.body = [line for line in node.body if not _is_text(line)]
    return f"{path.name}\n{ast.dump(tree)}"


@functools.cache
def _imported(path: Path) -> tuple[str, ...]:
    """Return the modules of this project that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return tuple(name for name in found if name.split(".")[0] in ROOTS and _file(name).is_file())


def _bears_on_figures(name: str) -> bool:
    root, _, rest = name.partition(".")
    return root == "pipelines" or rest.split(".")[0] in SCIENCE


def _file(name: str) -> Path:
    """Return the file of a module of this project."""
    root, *parts = name.split(".")
    place = ROOTS[root].joinpath(*parts)
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _is_text(line: ast.stmt) -> bool:
    """Answer whether a statement is a bare string, as docstrings are."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(parent) / name
            yield path.relative_to(folder).as_posix(), path.stat().st_size
