"""A sealed folder of arrays: written whole or not at all, verified on opening, memory-mapped.

    FOLDER/manifest.json          facts, and the size and SHA-256 of every file
    FOLDER/generation-XXXXXXXX/   the arrays as .npy, never changed once written

A save writes a new generation, flushes it, and then replaces the manifest in one rename, so
that a crash leaves the old index or the new one. Arrays are read with pickle refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from forensic.errors import CorruptIndex, DataFolderError, IndexMismatch
from forensic.files import read_json, sha256_of_bytes, sha256_of_file, write_json

T = TypeVar("T")

FORMAT = "forensic gallery index"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"

_GENERATION = "generation-"
_LOCK = ".lock"


@dataclass(frozen=True)
class Sealed:
    """What a sealed folder holds.

    Attributes:
        facts: The JSON values that were saved.
        arrays: By name, memory-mapped.
        files: The other files by name, in order of their names.
    """

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    files: dict[str, Path]


def write_sealed(
    folder: Path,
    arrays: Mapping[str, NDArray[Any]],
    *,
    facts: Mapping[str, Any],
    files: Iterable[tuple[str, NDArray[np.uint8]]] = (),
) -> None:
    """Write arrays and facts as the content of `folder`, in place of an index there before.

    Args:
        folder: Made where missing.
        arrays: By name; each becomes `NAME.npy`.
        facts: JSON values that the manifest records beside the files.
        files: Names and bytes of further files; taken one at a time.

    Raises:
        DataFolderError: The folder holds other files and no index, or is no folder.
        OSError: The disk is full or cannot be written; the old index is then still whole.
    """
    check_target(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, _LOCK):
        generation = Path(tempfile.mkdtemp(dir=folder, prefix=_GENERATION))
        try:
            written = {
                f"{name}.npy": _write(generation / f"{name}.npy", array)
                for name, array in arrays.items()
            }
            written |= {name: _write(generation / name, content) for name, content in files}
            _flush_folder(generation)
            manifest = dict(facts) | {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "generation": generation.name,
                "files": written,
            }
            generation.chmod(folder.stat().st_mode)
            write_json(folder / MANIFEST, manifest | {"seal": _seal(manifest)})
        except BaseException:
            shutil.rmtree(generation, ignore_errors=True)
            raise
        _flush_folder(folder)
        for old in folder.glob(f"{_GENERATION}*"):
            if old != generation:
                shutil.rmtree(old, ignore_errors=True)


def read_sealed(folder: Path, build: Callable[[Sealed], T]) -> T:
    """Return what `build` makes of a folder's content, after checking every byte of it.

    A generation that is replaced while it is being read is no damage: then the new one is read.

    Raises:
        DataFolderError: There is no index in the folder.
        CorruptIndex: A file is missing or differs from what the manifest records.
        IndexMismatch: The index was written by a newer version.
    """
    manifest = _read_manifest(folder)
    while True:
        try:
            return build(_read_files(folder, manifest))
        except (CorruptIndex, OSError, RuntimeError) as error:  # FAISS raises RuntimeError
            latest = _read_manifest(folder)
            if latest == manifest:
                if isinstance(error, CorruptIndex):
                    raise
                raise CorruptIndex(f"The index in {folder} cannot be read: {error}") from error
            manifest = latest


def check_target(folder: Path) -> None:
    """Refuse a place where no index could be saved, before the work for one is done.

    Raises:
        DataFolderError: The folder holds other files and no index, or is no folder.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataFolderError(f"{folder} is a file; an index is saved in a folder.")
    others = [p.name for p in folder.iterdir() if not p.name.startswith((_GENERATION, "."))]
    if others and not (folder / MANIFEST).exists():
        raise DataFolderError(
            f"{folder} holds other files, such as {min(others)}, and no index; choose an empty "
            "or new folder."
        )


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock called `name` in a folder: one holder at a time, of all processes."""
    with open(folder / name, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: NDArray[Any]) -> dict[str, Any]:
    with open(path, "wb") as file:
        if path.suffix == ".npy":
            np.save(file, np.ascontiguousarray(content), allow_pickle=False)
        else:
            content.tofile(file)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": sha256_of_file(path)}


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _seal(manifest: Mapping[str, Any]) -> str:
    return sha256_of_bytes(json.dumps(manifest, sort_keys=True).encode())


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = read_json(path)
        seal = manifest.pop("seal")
        format_name, version = manifest["format"], int(manifest["format_version"])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataFolderError(
            f"There is no gallery index in {folder}: {MANIFEST} is missing. "
            "Make one with: forensic index PHOTOS OUT"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptIndex(f"{path} is not the manifest of a gallery index: {error}.") from error
    if format_name == FORMAT and version > FORMAT_VERSION:
        raise IndexMismatch(
            f"The index in {folder} has format {version}; this version reads up to "
            f"{FORMAT_VERSION}. Install a newer one, or build the index again."
        )
    if seal != _seal(manifest):
        raise CorruptIndex(f"{path} was changed after it was written; build the index again.")
    return dict(manifest)


def _read_files(folder: Path, manifest: dict[str, Any]) -> Sealed:
    arrays, files = {}, {}
    for name, recorded in sorted(manifest["files"].items()):
        path = folder / manifest["generation"] / name
        try:
            size = path.stat().st_size
            if size != recorded["bytes"] or sha256_of_file(path) != recorded["sha256"]:
                raise CorruptIndex(
                    f"{path} differs from what {MANIFEST} records ({size} bytes, expected "
                    f"{recorded['bytes']}); build the index again."
                )
            if path.suffix == ".npy":
                arrays[path.stem] = np.load(path, mmap_mode="r", allow_pickle=False)
            else:
                files[name] = path
        except OSError as error:
            raise CorruptIndex(f"{path} cannot be read: {error}; build the index again.") from error
    return Sealed(manifest, arrays, files)
