"""A Redis server of the tests' own, which can be stopped and started again in its place."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 60


class RedisServer:
    """One server on this machine that keeps nothing on disk.

    Args:
        program: Path of `redis-server`.
        folder: Where it runs.
    """

    def __init__(self, program: str, folder: str) -> None:
        self._program, self._folder = program, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """URL of its first database."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Run it, empty, and wait until it answers; again under the address it had before."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            port = self._port or _free_port()
            self._process = subprocess.Popen(
                [self._program, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                 "--appendonly", "no", "--dir", self._folder, "--loglevel", "warning"],
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            if self._answers(port, deadline):
                self._port = port
                return
            if time.monotonic() > deadline:
                raise RuntimeError("redis-server does not start")

    def stop(self) -> None:
        """Kill it; all that it knew is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self, port: int, deadline: float) -> bool:
        assert self._process is not None
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(100).startswith(b"+PONG"):
                        return True
            except OSError:
                pass
            time.sleep(0.02)
        self.stop()
        return False  # somebody else took the port


def redis_program() -> str | None:
    """Return the path of `redis-server`, None where it is not installed."""
    return shutil.which("redis-server")


@contextmanager
def redis_server(program: str) -> Iterator[RedisServer]:
    """Run a server in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(program, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
