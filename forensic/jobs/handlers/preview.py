"""A face made from a canvas as it is drawn; nothing is kept."""

from __future__ import annotations

import numpy as np

from forensic.errors import ImageError
from forensic.images.io import decode_image, encode_image
from forensic.jobs.models import Models
from forensic.jobs.preview import TEMPLATE_POINTS, Answer


def preview_with(models: Models) -> Answer:
    """Return what answers previews with these models."""

    def answer(picture: bytes, generator: str) -> bytes:
        canvas = decode_image(picture, name="the drawing")
        height, width, _ = canvas.shape
        if height != width:
            raise ImageError(
                f"The drawing has {width}×{height} pixels; it must be a square.", reason="format"
            )
        points = np.array(TEMPLATE_POINTS, dtype=np.float32) * width
        face = models.inverter(generator).invert([canvas], [points])[0]
        return encode_image(face.labelled())

    return answer
