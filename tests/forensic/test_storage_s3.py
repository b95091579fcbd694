"""Files in S3-compatible storage, on a real server over HTTP."""

import hashlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from forensic.errors import CorruptFile, MissingFile, StorageError
from forensic.storage import FileStore
from tests.support.s3 import BUCKET, client, keys, killing_relay, s3_server

ROOT = Path(__file__).resolve().parents[2]
DATA = b"a sketch, or what stands for it"
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = f"{SHA256[:2]}/{SHA256[2:]}"
UPLOAD = """
import io, sys
from forensic.storage import FileStore
store = FileStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store.put_stream(io.BytesIO(b"x" * int(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def prefix(server: str) -> str:
    return uuid.uuid4().hex


@pytest.fixture
def store(prefix: str) -> FileStore:
    return FileStore(f"s3://{BUCKET}/{prefix}")


def test_what_is_put_comes_back_under_its_sha256(
    store: FileStore, prefix: str, tmp_path: Path
) -> None:
    assert store.put(DATA) == SHA256
    assert store.put(DATA) == SHA256
    assert [key for key in keys() if key.startswith(prefix)] == [f"{prefix}/{KEY}"]
    assert store.exists(SHA256)
    assert store.read(SHA256) == DATA
    store.fetch(SHA256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA


def test_delete_tells_whether_there_was_a_file(store: FileStore) -> None:
    store.put(DATA)
    assert store.delete(SHA256)
    assert not store.delete(SHA256)
    assert not store.exists(SHA256)
    with pytest.raises(MissingFile, match="restore it"):
        store.read(SHA256)


def test_what_other_processes_do_is_seen(store: FileStore, prefix: str) -> None:
    assert not store.exists(SHA256)
    client().put_object(Bucket=BUCKET, Key=f"{prefix}/{KEY}", Body=DATA)
    assert store.exists(SHA256)
    assert store.read(SHA256) == DATA
    client().delete_object(Bucket=BUCKET, Key=f"{prefix}/{KEY}")
    assert not store.exists(SHA256)
    assert not store.delete(SHA256)


def test_a_changed_object_is_never_given_out(store: FileStore, prefix: str, tmp_path: Path) -> None:
    store.put(DATA)
    client().put_object(Bucket=BUCKET, Key=f"{prefix}/{KEY}", Body=DATA + b"!")
    with pytest.raises(CorruptFile, match="restore it"):
        store.read(SHA256)
    with pytest.raises(CorruptFile):
        store.fetch(SHA256, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_upload_that_is_killed_leaves_nothing_under_the_name(
    server: str, store: FileStore, prefix: str
) -> None:
    size = 32 << 20
    with killing_relay(server, after_bytes=4 << 20) as (address, victims):
        uploading = subprocess.Popen(
            [sys.executable, "-c", UPLOAD, f"s3://{BUCKET}/{prefix}", str(size)],
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL_S3": address},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert uploading.stdout is not None
        assert uploading.stdout.readline() == "ready\n"
        victims.append(uploading.pid)
        uploading.communicate("go\n", timeout=120)
    assert uploading.returncode == -9
    whole = hashlib.sha256(b"x" * size).hexdigest()
    assert not store.exists(whole)
    assert not [key for key in keys() if key.startswith(prefix)]
    assert store.put(DATA) == SHA256  # the server goes on


def test_a_bucket_that_is_not_there_is_told(server: str) -> None:
    lost = FileStore(f"s3://no-such-bucket-{uuid.uuid4().hex}")
    with pytest.raises(StorageError, match="cannot be written"):
        lost.put(DATA)


def test_a_server_that_is_away_is_told(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    S3FileSystem.clear_instance_cache()  # else the connection of the other tests is used
    away = FileStore(f"s3://{BUCKET}/x")
    S3FileSystem.clear_instance_cache()
    for ask in (away.exists, away.read, away.delete):
        with pytest.raises(StorageError, match="store cannot be"):
            ask(SHA256)
    with pytest.raises(StorageError, match="cannot be written"):
        away.put(DATA)
