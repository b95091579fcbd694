"""Contact sheets: what a network was given, what it made, and the truth, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from forensic.images.color import gray_to_rgb
from forensic.images.io import write_image
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.values import RGB

SHOWN = 8
BAND_PX = 16


def write_sheet(path: Path, rows: Mapping[str, Tensor]) -> None:
    """Write rows of pictures as one PNG, each row under a band with its name.

    Args:
        path: The file.
        rows: Name, such as `machine-made`, to (N, 1 or 3, H, W) in [0, 1]; the first eight are
            shown. Sizes may differ between rows.

    Raises:
        OSError: The folder cannot be written.
    """
    strips = [_strip(name, tensor_to_images(pictures[:SHOWN])) for name, pictures in rows.items()]
    widest = max(strip.shape[1] for strip in strips)
    padded = [_pad(strip, widest) for strip in strips]
    write_image(path, np.vstack(padded))


def write_spread(path: Path, rows: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write eight columns from all over rows of pictures, as `write_sheet` does.

    Args:
        path: The file.
        rows: Name to (N, H, W, 1 or 3), all of one N.

    Raises:
        OSError: The folder cannot be written.
    """
    n = len(next(iter(rows.values())))
    chosen = np.linspace(0, n - 1, min(SHOWN, n)).astype(np.intp)
    write_sheet(path, {name: images_to_tensor(row[chosen]) for name, row in rows.items()})


def _strip(name: str, pictures: NDArray[np.uint8]) -> RGB:
    row = np.hstack([p if p.shape[2] == 3 else gray_to_rgb(p[:, :, 0]) for p in pictures])
    band = Image.new("RGB", (row.shape[1], BAND_PX), "black")
    ImageDraw.Draw(band).text((4, BAND_PX / 2), name.upper(), fill="white", anchor="lm")
    return np.vstack([np.asarray(band), row])


def _pad(strip: RGB, width: int) -> RGB:
    blank = np.full((strip.shape[0], width - strip.shape[1], 3), 255, dtype=np.uint8)
    return np.hstack([strip, blank])
