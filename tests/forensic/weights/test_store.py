import io
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import IO
from urllib.error import URLError

import pytest

from forensic.errors import HashMismatch, MissingWeights, UnknownNameError, WeightsError
from forensic.files import sha256_of_bytes
from forensic.registry import Registry
from forensic.weights import store
from forensic.weights.catalogue import WeightsEntry
from forensic.weights.store import (
    choose_weights_folder,
    fetch_weights,
    find_weights,
    open_https,
    verify_file,
)

CONTENT = b"pretend that these are weights" * 100

ENTRY = WeightsEntry(
    name="toy",
    task="test",
    file="toy.pt",
    sha256=sha256_of_bytes(CONTENT),
    bytes=len(CONTENT),
    licence="none",
    training_data="none",
    paper="none",
    origin="none",
    url="https://weights.invalid/toy.pt",
)


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of test entries in place of the packaged data."""
    entries = {
        "toy": ENTRY,
        "unpinned": replace(ENTRY, name="unpinned", sha256=""),
        "ours": replace(ENTRY, name="ours", url="", file="ours.safetensors"),
    }
    monkeypatch.setattr(store, "load_catalogue", lambda: Registry("weights", entries))


def serve(content: bytes) -> Callable[[str], AbstractContextManager[IO[bytes]]]:
    return lambda url: closing(io.BytesIO(content))


def test_fetch_then_find(tmp_path: Path) -> None:
    seen: list[int] = []
    path = fetch_weights("toy", folder=tmp_path, open_url=serve(CONTENT), on_bytes=seen.append)
    assert path == tmp_path / "toy.pt"
    assert path.read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)
    assert find_weights("toy", folder=tmp_path) == path


def test_an_intact_file_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "toy.pt").write_bytes(CONTENT)

    def refuse(url: str) -> AbstractContextManager[IO[bytes]]:
        raise AssertionError("the network was used")

    assert fetch_weights("toy", folder=tmp_path, open_url=refuse).is_file()


@pytest.mark.parametrize("received", [CONTENT[:-1] + b"!", CONTENT[:-1], b""])
def test_another_content_is_refused_and_nothing_is_kept(tmp_path: Path, received: bytes) -> None:
    with pytest.raises(HashMismatch) as refusal:
        fetch_weights("toy", folder=tmp_path, open_url=serve(received))
    assert refusal.value.expected_sha256 == ENTRY.sha256
    assert refusal.value.actual_sha256 == sha256_of_bytes(received)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_sends_too_much_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="more than the 3000 bytes"):
        fetch_weights("toy", folder=tmp_path, open_url=serve(CONTENT + b"x"))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_fetch_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "toy.pt").write_bytes(b"older")

    def fail(url: str) -> AbstractContextManager[IO[bytes]]:
        raise URLError("no route")

    with pytest.raises(WeightsError, match="no route"):
        fetch_weights("toy", folder=tmp_path, open_url=fail)
    assert (tmp_path / "toy.pt").read_bytes() == b"older"


def test_without_a_recorded_hash_the_user_must_state_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="forensic weights fetch unpinned --sha256"):
        fetch_weights("unpinned", folder=tmp_path, open_url=serve(CONTENT))
    path = fetch_weights(
        "unpinned", folder=tmp_path, sha256=ENTRY.sha256.upper(), open_url=serve(CONTENT)
    )
    assert path.is_file()


def test_a_stated_hash_cannot_override_the_recorded_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="contradicts"):
        fetch_weights("toy", folder=tmp_path, sha256="0" * 64, open_url=serve(CONTENT))


def test_bundled_weights_are_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="come with the package"):
        fetch_weights("ours", folder=tmp_path, open_url=serve(CONTENT))


def test_missing_weights_name_the_command_that_brings_them(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"forensic weights fetch toy$"):
        find_weights("toy", folder=tmp_path)
    with pytest.raises(MissingWeights, match="Install the package again"):
        find_weights("ours")


def test_a_damaged_file_is_never_handed_out(tmp_path: Path) -> None:
    (tmp_path / "toy.pt").write_bytes(CONTENT + b"x")
    with pytest.raises(HashMismatch, match=r"toy\.pt has SHA-256"):
        find_weights("toy", folder=tmp_path)


def test_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        find_weights("nobody", folder=tmp_path)


@pytest.mark.parametrize("url", ["http://weights.invalid/x", "file:///etc/hostname", "ftp://x/y"])
def test_only_https_is_opened(url: str) -> None:
    with pytest.raises(WeightsError, match="https only"):
        open_https(url)


def test_a_redirect_away_from_https_is_refused() -> None:
    handler = store._OnlyHTTPS()
    with pytest.raises(WeightsError, match="https only"):
        handler.redirect_request(None, None, 302, "", None, "http://elsewhere.invalid/x")  # type: ignore[arg-type]


def test_verify_file_takes_a_hash_in_either_case(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(CONTENT)
    assert verify_file(path, ENTRY.sha256.upper()) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"FORENSIC_WEIGHTS": "/w", "XDG_DATA_HOME": "/d"}, "/w"),
        ({"XDG_DATA_HOME": "/d"}, "/d/forensic/weights"),
        ({}, str(Path.home() / ".local/share/forensic/weights")),
    ],
)
def test_weights_folder(environment: dict[str, str], expected: str) -> None:
    assert str(choose_weights_folder(environment)) == expected
