"""The smallest ONNX networks, written byte by byte, so that no test needs the onnx package."""

from __future__ import annotations

from pathlib import Path

FLOAT = 1


def write_flatten_model(path: Path, *, size_hw: tuple[int, int] = (112, 112)) -> Path:
    """Write a network that returns its input (n, 3, H, W) as rows (n, 3*H*W).

    Its output shows exactly what an embedder feeds to a network.
    """
    height, width = size_hw
    node = _text(1, "image") + _text(2, "rows") + _text(4, "Flatten")
    graph = (
        _message(1, node)
        + _text(2, "flatten")
        + _message(11, _value("image", ["n", 3, height, width]))
        + _message(12, _value("rows", ["n", 3 * height * width]))
    )
    opset = _number(2, 13)
    path.write_bytes(_number(1, 8) + _message(7, graph) + _message(8, opset))
    return path


def _value(name: str, shape: list[str | int]) -> bytes:
    """Return a ValueInfoProto of a float tensor."""
    dims = b"".join(
        _message(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape
    )
    tensor = _number(1, FLOAT) + _message(2, dims)
    return _text(1, name) + _message(2, _message(1, tensor))


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())
