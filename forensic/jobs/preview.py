"""Live previews for the drawing board: the worker answers on the loopback, and keeps nothing.

A picture goes in, the face that a generator makes of it comes out, with the label in its pixels.
No job, no record, no file: what is drawn becomes evidence only when it is sealed as a probe.

The canvas is a square in the geometry of the generators, so that no landmarks are needed: the
drawer follows a faded template, whose points are `TEMPLATE_POINTS`.
"""

from __future__ import annotations

import hmac
import http.client
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

from forensic.errors import ForensicError, ImageError, JobError

HOST = "127.0.0.1"
TEMPLATE_POINTS = (
    (0.35119, 0.39583),
    (0.64881, 0.39583),
    (0.5, 0.5625),
    (0.37798, 0.72917),
    (0.62202, 0.72917),
)
"""Eyes, nose and mouth corners as shares of the canvas's side, x first: the mean face of CUFS in
the crop of Convolutional Sketch Inversion (section 3.1), the geometry of the generators."""
PICTURE_BYTES_MAX = 2 * 2**20
DEFAULT_GENERATOR = "csi-line"

_TOKEN_HEADER = "X-Forensic-Token"  # noqa: S105 - the header's name
_TIMEOUT_S = 10.0
_PNG = "image/png"
_log = logging.getLogger(__name__)

Answer = Callable[[bytes, str], bytes]
"""Takes a picture and the name of a generator to a labelled PNG."""


def ask(png: bytes, *, port: int, token: str, generator: str = DEFAULT_GENERATOR) -> bytes:
    """Return what the worker makes of a drawing, as a PNG that says that it is machine-made.

    Args:
        png: The canvas.
        port: The worker's port on the loopback.
        token: What web and worker share.
        generator: Name of the generator.

    Raises:
        JobError: No worker answers.
        ImageError: The drawing cannot be used; `reason` as the worker tells it.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_S)
    try:
        connection.request(
            "POST",
            f"/preview?generator={quote(generator)}",
            body=png,
            headers={_TOKEN_HEADER: token, "Content-Type": _PNG},
        )
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise JobError(
            "No preview: the worker does not answer. Start it with `forensic worker`.",
            reason="no_worker",
        ) from error
    finally:
        connection.close()
    if response.status == http.HTTPStatus.UNPROCESSABLE_ENTITY:
        raise ImageError(body.decode(), reason="preview")
    if response.status != http.HTTPStatus.OK:
        raise JobError(
            f"No preview: the worker answered {response.status}. Web and worker must have the "
            "same secret key.",
            reason="no_worker",
        )
    return body


class PreviewServer:
    """Answers previews on the loopback, one at a time; others wait.

    Args:
        answer: Makes the preview.
        port: On which to listen; 0 takes a free one.
        token: What the asker must show.

    Attributes:
        port: On which it listens.

    Raises:
        JobError: The port is taken.
    """

    def __init__(self, answer: Answer, *, port: int, token: str) -> None:
        self._answer, self._token = answer, token
        self._turn = threading.Lock()
        try:
            self._server = ThreadingHTTPServer((HOST, port), self._handler())
        except OSError as error:
            raise JobError(
                f"Port {port} of the worker is taken: stop the other worker, or set "
                "FORENSIC_WORKER_PORT.",
                reason="port_taken",
            ) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        """Answer in the background from now on."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def reply(self, path: str, token: str, body: bytes) -> tuple[int, bytes]:
        """Return status and content for one request to make a preview."""
        parts = urlsplit(path)
        if parts.path != "/preview":
            return 404, b"There is only /preview."
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return 403, b"Wrong token."
        generator = parse_qs(parts.query).get("generator", [DEFAULT_GENERATOR])[0]
        try:
            with self._turn:
                return 200, self._answer(body, generator)
        except ForensicError as error:
            return 422, str(error).encode()
        except Exception:
            _log.exception("preview failed")
            return 500, b"The worker's log tells more."

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _TIMEOUT_S

            def do_GET(self) -> None:
                is_health = self.path == "/health"
                self._send(200 if is_health else 404, b"ready" if is_health else b"")

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not length.isdigit() or int(length) > PICTURE_BYTES_MAX:
                    self.close_connection = True
                    self._send(413, b"The drawing is too large.")
                    return
                body = self.rfile.read(int(length))
                self._send(*server.reply(self.path, self.headers.get(_TOKEN_HEADER, ""), body))

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", _PNG if status == 200 else "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay quiet: previews are asked for many times a second."""

        return Handler
