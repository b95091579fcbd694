"""An S3-compatible server for tests, on this machine, and a way to cut its connections."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "forensic"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a server with an empty bucket; yields its address, which the environment names."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        with patch.dict(os.environ, {**_CREDENTIALS, "AWS_ENDPOINT_URL_S3": address}):
            client().create_bucket(Bucket=BUCKET)
            yield address
    finally:
        server.stop()


def client():
    """Return a plain client of the server that the environment names."""
    return boto3.client("s3", region_name="us-east-1")


def keys() -> list[str]:
    """Return the names of all objects in the bucket."""
    listed = client().list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in listed.get("Contents", [])]


@contextmanager
def killing_relay(server: str, *, after_bytes: int) -> Iterator[tuple[str, list[int]]]:
    """Pass connections on to a server, and kill a process once so much has been sent.

    Yields:
        The relay's address, and the list that takes the process's number.
    """
    victims: list[int] = []
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = server.removeprefix("http://").split(":")

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection((host, int(port)))
            threading.Thread(target=_pass, args=(far, near), daemon=True).start()
            sent = 0
            with near, far:
                while data := _received(near):
                    far.sendall(data)
                    sent += len(data)
                    if sent > after_bytes:
                        os.kill(victims.pop(), signal.SIGKILL)
                        break

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", victims
    finally:
        listener.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(1 << 16)
    except OSError:
        return b""


def _pass(source: socket.socket, target: socket.socket) -> None:
    while data := _received(source):
        try:
            target.sendall(data)
        except OSError:
            return
