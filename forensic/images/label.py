"""The label that every machine-made face carries in its own pixels wherever it is shown."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from forensic.values import RGB

LABEL = "MACHINE-MADE, NOT A PHOTO"


def label_machine_made(face: RGB, *, scale: int = 2) -> RGB:
    """Return a face enlarged, with a band below it that says it is machine-made.

    Args:
        face: (H, W, 3) uint8.
        scale: Whole factor of enlargement, so that the label can be read.
    """
    height, width, _ = face.shape
    size = width * scale, height * scale
    band = Image.new("RGB", (size[0], 14), "black")
    ImageDraw.Draw(band).text((size[0] / 2, 7), LABEL, fill="white", anchor="mm", font_size=10)
    large = Image.fromarray(face).resize(size, Image.Resampling.BICUBIC)
    return np.concatenate([np.asarray(large), np.asarray(band)])
