"""Live previews over the loopback: only for who has the token, and nothing breaks the server."""

import http.client

import numpy as np
import pytest

from forensic.errors import ImageError, JobError
from forensic.faces.align import align_face
from forensic.jobs.preview import HOST, PICTURE_BYTES_MAX, TEMPLATE_POINTS, PreviewServer, ask


def answer(picture: bytes, generator: str) -> bytes:
    if generator == "broken":
        raise ZeroDivisionError
    if picture == b"bad":
        raise ImageError("the drawing is bad", reason="format")
    return generator.encode() + b":" + picture


@pytest.fixture
def server():
    server = PreviewServer(answer, port=0, token="secret")
    server.start()
    yield server
    server.stop()


def status_of(server: PreviewServer, method: str, path: str, **given) -> int:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    connection.request(method, path, **given)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_drawing_goes_in_and_a_face_comes_out(server: PreviewServer) -> None:
    assert ask(b"png", port=server.port, token="secret") == b"csi-line:png"
    face = ask(b"png", port=server.port, token="secret", generator="csi-color")
    assert face == b"csi-color:png"


def test_a_bad_drawing_is_told_as_such(server: PreviewServer) -> None:
    with pytest.raises(ImageError, match="the drawing is bad"):
        ask(b"bad", port=server.port, token="secret")


def test_without_the_token_nothing_is_answered(server: PreviewServer) -> None:
    with pytest.raises(JobError, match="403"):
        ask(b"png", port=server.port, token="guess")
    assert status_of(server, "POST", "/preview", body=b"png") == 403


def test_a_failure_leaves_the_server_answering(server: PreviewServer) -> None:
    with pytest.raises(JobError, match="500"):
        ask(b"png", port=server.port, token="secret", generator="broken")
    assert ask(b"png", port=server.port, token="secret")


def test_health_and_limits(server: PreviewServer) -> None:
    assert status_of(server, "GET", "/health") == 200
    assert status_of(server, "GET", "/etc/passwd") == 404
    assert status_of(server, "POST", "/other", body=b"x") == 404
    huge = {"Content-Length": str(PICTURE_BYTES_MAX + 1)}
    assert status_of(server, "POST", "/preview", headers=huge) == 413


def test_no_worker_is_said_with_the_remedy(server: PreviewServer) -> None:
    server.stop()
    with pytest.raises(JobError, match="forensic worker"):
        ask(b"png", port=server.port, token="secret")


def test_a_port_is_taken_once(server: PreviewServer) -> None:
    with pytest.raises(JobError, match="FORENSIC_WORKER_PORT"):
        PreviewServer(answer, port=server.port, token="secret")


def test_the_template_lies_where_the_generators_expect_it() -> None:
    side = 384
    points = np.array(TEMPLATE_POINTS, dtype=np.float32) * side
    _, moved = align_face(np.zeros((side, side, 3), np.uint8), points, "csi-96")
    np.testing.assert_allclose(moved, points / 4, atol=0.01)
