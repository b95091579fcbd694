"""Pictures for browsers: as they are kept where a browser can show them, else as PNG."""

from __future__ import annotations

from flask import Response

from forensic.images.io import decode_image, encode_image

SHOWN_BY_BROWSERS = frozenset({"image/png", "image/jpeg", "image/webp"})


def picture(data: bytes, media_type: str) -> Response:
    """Return the answer that shows a picture.

    Raises:
        ImageError: The file is not an image.
    """
    if media_type not in SHOWN_BY_BROWSERS:
        data, media_type = encode_image(decode_image(data)), "image/png"
    return Response(data, mimetype=media_type)
