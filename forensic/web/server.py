"""The web in production: one gunicorn process with threads.

One process, because figures and rate limits are kept in it; several of them, behind a proxy,
share their limits through Redis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from forensic.settings import Settings
from forensic.web import logs
from forensic.web.app import create_app

TIMEOUT_S = 120
"""A process that has not answered the master for so long is replaced."""


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with the options that the settings name, and no other source of options.

    Args:
        settings: Of the service.
        on_ready: Called once, in the master, when the socket is open.
    """

    def __init__(self, settings: Settings, on_ready: Callable[[], None]) -> None:
        self._settings, self._on_ready = settings, on_ready
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        chosen = self._settings
        options: dict[str, Any] = {
            "bind": f"{chosen.address}:{chosen.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": chosen.web_threads,
            "timeout": TIMEOUT_S,
            "graceful_timeout": 30,
            "keepalive": 5,
            "limit_request_line": 8190,
            "limit_request_fields": 100,
            "forwarded_allow_ips": "127.0.0.1,::1",
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda _: self._on_ready(),
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, in the process that will answer."""
        logs.configure(self._settings.log_level)
        return create_app(self._settings)


def serve(settings: Settings, *, on_ready: Callable[[], None]) -> None:
    """Answer requests until the process is told to stop.

    Raises:
        SystemExit: At the end, as gunicorn ends.
    """
    Server(settings, on_ready).run()
