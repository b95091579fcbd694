"""The label that every machine-made face carries in its own pixels wherever it is shown."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from forensic.values import RGB

LABEL = "MACHINE-MADE, NOT A PHOTO"
SHORT_LABEL = "MACHINE-MADE"
BAND_PX = 14


def label_machine_made(face: RGB, *, scale: int = 2) -> RGB:
    """Return a face enlarged, with a band below it that says it is machine-made.

    Args:
        face: (H, W, 3) uint8.
        scale: Whole factor of enlargement, so that the label can be read.
    """
    height, width, _ = face.shape
    size = width * scale, height * scale
    band = Image.new("RGB", (size[0], BAND_PX), "black")
    ImageDraw.Draw(band).text(
        (size[0] / 2, BAND_PX / 2), LABEL, fill="white", anchor="mm", font_size=10
    )
    large = Image.fromarray(face).resize(size, Image.Resampling.BICUBIC)
    return np.concatenate([np.asarray(large), np.asarray(band)])


def put_beside(source: RGB, made: RGB, *, source_label: str = "SKETCH") -> RGB:
    """Return what a network was given and what it made, side by side, each with its label below.

    Nothing is enlarged; a smaller picture stands in the middle of its white half.

    Args:
        source: (H, W, 3) uint8.
        made: (h, w, 3) uint8.
        source_label: What the left one is.
    """
    height = max(source.shape[0], made.shape[0])
    halves = []
    for picture, text in ((source, source_label), (made, SHORT_LABEL)):
        width = max(picture.shape[1], 8 * len(text))
        half = Image.new("RGB", (width, height + BAND_PX), "white")
        left, top = (width - picture.shape[1]) // 2, (height - picture.shape[0]) // 2
        half.paste(Image.fromarray(picture), (left, top))
        half.paste(Image.new("RGB", (width, BAND_PX), "black"), (0, height))
        middle = width / 2, height + BAND_PX / 2
        ImageDraw.Draw(half).text(middle, text, fill="white", anchor="mm", font_size=10)
        halves.append(np.asarray(half))
    return np.hstack(halves)
