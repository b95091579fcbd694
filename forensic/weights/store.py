"""Finding, checking and, only when told to, fetching weights files.

A file is looked for among those that come with the package, then in the folder of fetched
weights. That folder is always an argument: only the command line reads the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http.client import HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from forensic.errors import HashMismatch, MissingWeights, WeightsError
from forensic.files import atomic_write, sha256_of_file
from forensic.weights.catalogue import WeightsEntry, load_catalogue

BUNDLED = Path(__file__).resolve().parent / "bundled"
"""Folder of the weights that come with the package."""

MAX_BYTES = 1 << 30
"""Largest file that is ever fetched, 1 GiB."""

CHUNK_BYTES = 1 << 20

OpenURL = Callable[[str], AbstractContextManager[IO[bytes]]]


def choose_weights_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of fetched weights that an environment asks for.

    `FORENSIC_WEIGHTS`, else `forensic/weights` in the user's XDG data folder.
    """
    if chosen := environment.get("FORENSIC_WEIGHTS"):
        return Path(chosen).expanduser()
    data = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "forensic" / "weights"


def find_weights(name: str, *, folder: Path | None = None) -> Path:
    """Return the file of the weights called `name`, after checking its SHA-256.

    Args:
        name: A name of the catalogue.
        folder: Folder of fetched weights; without it only bundled weights are found.

    Raises:
        UnknownNameError: The catalogue has no such name.
        MissingWeights: The file is not on this machine; the message says what brings it.
        HashMismatch: The file is not the one that the catalogue records.
        WeightsError: The catalogue records no hash to check it against.
    """
    entry = load_catalogue()[name]
    path = locate_weights(entry, folder=folder)
    if path is None:
        raise MissingWeights(_how_to_get(entry))
    verify_file(path, _pin_of(entry, None))
    return path


def locate_weights(entry: WeightsEntry, *, folder: Path | None = None) -> Path | None:
    """Return where an entry's file lies, unchecked, or None."""
    places = [BUNDLED] if folder is None else [BUNDLED, folder]
    return next((p / entry.file for p in places if (p / entry.file).is_file()), None)


def verify_file(path: Path, expected_sha256: str) -> None:
    """Refuse a file whose SHA-256 is not the expected one.

    Raises:
        HashMismatch: It differs.
        OSError: The file cannot be read.
    """
    actual = sha256_of_file(path)
    if actual != expected_sha256.lower():
        raise HashMismatch(
            f"{path.name} has SHA-256 {actual}, expected {expected_sha256}. It is damaged or not "
            f"the file it claims to be: delete it and fetch it again ({path}).",
            expected_sha256=expected_sha256,
            actual_sha256=actual,
        )


def fetch_weights(
    name: str,
    *,
    folder: Path,
    sha256: str | None = None,
    open_url: OpenURL | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Path:
    """Download the weights called `name` into `folder`, checked before they take their name.

    This is the only place of the project that uses the network, and nothing calls it but the
    explicit command.

    Args:
        name: A name of the catalogue.
        folder: Folder of fetched weights, made if absent.
        sha256: The hash to demand where the catalogue records none.
        open_url: Opens a URL for reading; by default HTTPS, following only HTTPS redirects.
        on_bytes: Told the number of bytes of every piece that arrives.

    Returns:
        The checked file. A file already there and intact is not fetched again.

    Raises:
        UnknownNameError: The catalogue has no such name.
        WeightsError: The weights come with the package, no hash is known, the address is not
            HTTPS, or the server fails or sends more than was announced.
        HashMismatch: What arrived is not the file recorded; nothing is kept of it.
    """
    entry = load_catalogue()[name]
    if entry.is_bundled:
        raise WeightsError(f"Weights {name!r} come with the package; there is nothing to fetch.")
    pin = _pin_of(entry, sha256)
    target = folder / entry.file
    if target.is_file() and sha256_of_file(target) == pin:
        return target
    limit = entry.bytes or MAX_BYTES
    try:
        with (open_url or open_https)(entry.url) as source, atomic_write(target) as file:
            _copy(source, file, limit=limit, on_bytes=on_bytes)
            file.flush()
            verify_file(Path(file.name), pin)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise WeightsError(f"Could not fetch {entry.url}: {error}. Nothing was kept.") from error
    return target


def open_https(url: str) -> AbstractContextManager[IO[bytes]]:
    """Open an HTTPS address for reading, following redirects only to HTTPS.

    Raises:
        WeightsError: The address, or one that it leads to, is not HTTPS.
        urllib.error.URLError: The server cannot be reached or refuses.
    """
    _check_https(url)
    request = Request(url, headers={"User-Agent": "forensic-weights"})  # noqa: S310 - https only
    opened: AbstractContextManager[IO[bytes]] = build_opener(_OnlyHTTPS).open(request, timeout=60)
    return opened


class _OnlyHTTPS(HTTPRedirectHandler):
    """Follows a redirect only when it stays on HTTPS."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        _check_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise WeightsError(f"Weights are fetched over https only, not from {url}.")


def _copy(
    source: IO[bytes], target: IO[bytes], *, limit: int, on_bytes: Callable[[int], None] | None
) -> None:
    """Copy a stream, refusing more than `limit` bytes."""
    received = 0
    while piece := source.read(CHUNK_BYTES):
        received += len(piece)
        if received > limit:
            raise WeightsError(f"The server sent more than the {limit} bytes expected; stopped.")
        target.write(piece)
        if on_bytes:
            on_bytes(len(piece))


def _pin_of(entry: WeightsEntry, given: str | None) -> str:
    """Return the hash to demand of an entry's file."""
    if given and entry.sha256 and given.lower() != entry.sha256:
        raise WeightsError(
            f"--sha256 {given} contradicts the catalogue, which records {entry.sha256}."
        )
    if pin := (given or entry.sha256).lower():
        return pin
    if entry.is_bundled:
        raise WeightsError(f"The catalogue records no SHA-256 for {entry.file}; it is not loaded.")
    raise WeightsError(
        f"No SHA-256 is recorded for {entry.name!r}. Obtain it from a source that you trust and "
        f"run: forensic weights fetch {entry.name} --sha256 HASH"
    )


def _how_to_get(entry: WeightsEntry) -> str:
    if entry.is_bundled:
        return (
            f"Weights {entry.name!r} ({entry.file}) should come with the package but are not in "
            f"{BUNDLED}. Install the package again from a complete checkout."
        )
    return (
        f"Weights {entry.name!r} are not on this machine. "
        f"Fetch them with: forensic weights fetch {entry.name}"
    )
