"""Files kept by content: what is given comes back, whatever the storage and its accidents."""

import hashlib
import io
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from forensic.errors import CorruptFile, MissingFile, RangeError, StorageError
from forensic.storage import FileStore

DATA = b"a sketch, or what stands for it"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileStore]:
    if request.param == "folder":
        yield FileStore(str(tmp_path / "files"))
        return
    prefix = f"/{uuid.uuid4().hex}"
    yield FileStore(f"memory:/{prefix}")
    memory = fsspec.filesystem("memory")
    if memory.exists(prefix):
        memory.rm(prefix, recursive=True)


def stored_path(folder: Path) -> Path:
    return folder / "files" / SHA256[:2] / SHA256[2:]


def test_what_is_put_comes_back_under_its_sha256(store: FileStore, tmp_path: Path) -> None:
    assert store.put(DATA) == SHA256
    assert store.put(DATA) == SHA256
    assert store.read(SHA256) == DATA
    store.fetch(SHA256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA


def test_a_stream_is_kept_with_its_size(store: FileStore) -> None:
    stored = store.put_stream(io.BytesIO(DATA * 100_000))
    assert stored.size_bytes == len(DATA) * 100_000
    assert store.read(stored.sha256) == DATA * 100_000


def test_a_stream_over_the_limit_leaves_nothing(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path / "files"))
    with pytest.raises(RangeError, match="more than 8 bytes"):
        store.put_stream(io.BytesIO(DATA), max_bytes=8)
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_delete_tells_whether_there_was_a_file(store: FileStore) -> None:
    store.put(DATA)
    assert store.exists(SHA256)
    assert store.delete(SHA256)
    assert not store.delete(SHA256)
    assert not store.exists(SHA256)
    with pytest.raises(MissingFile):
        store.read(SHA256)


def test_a_changed_file_is_never_given_out(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path / "files"))
    store.put(DATA)
    stored_path(tmp_path).write_bytes(DATA + b"!")
    with pytest.raises(CorruptFile, match="restore it"):
        store.read(SHA256)
    with pytest.raises(CorruptFile):
        store.fetch(SHA256, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, SHA256 + "\n", "ab/" + SHA256])
def test_only_a_digest_names_a_file(store: FileStore, name: str) -> None:
    for ask in (store.read, store.exists, store.delete):
        with pytest.raises(MissingFile, match="not a SHA-256"):
            ask(name)


def test_storage_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no-such"):
        FileStore("no-such://bucket")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        FileStore(str(tmp_path / "occupied")).put(DATA)
