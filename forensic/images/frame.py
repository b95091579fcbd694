"""The frame that a network wants its pictures in: a centre crop, then a size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensic.check import check_shape
from forensic.errors import ShapeError

SizeHW = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """What happens to an aligned picture before a network sees it.

    Attributes:
        crop_hw: Height and width of the centre crop; None keeps the whole picture.
        size_hw: Height and width it is resized to afterwards; None keeps the size. The aspect
            ratio may change, as it does in papers that resize 200×250 to a square.
    """

    crop_hw: SizeHW | None = None
    size_hw: SizeHW | None = None

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an (H, W, C) uint8 picture in this frame.

        Raises:
            ShapeError: The picture is not (H, W, C), or smaller than the crop.
        """
        if self.crop_hw:
            image = centre_crop(image, self.crop_hw)
        if self.size_hw and image.shape[:2] != self.size_hw:
            image = resize(image, self.size_hw)
        return image

    def move(self, points: NDArray[np.float32], size_hw: SizeHW) -> NDArray[np.float32]:
        """Return (N, 2) points, x first, of a picture of `size_hw` where they lie in this frame."""
        moved = np.asarray(points, dtype=np.float64)
        if self.crop_hw:
            top, left = ((a - b) // 2 for a, b in zip(size_hw, self.crop_hw, strict=True))
            moved, size_hw = moved - (left, top), self.crop_hw
        if self.size_hw:
            factor = np.array([self.size_hw[1] / size_hw[1], self.size_hw[0] / size_hw[0]])
            moved = (moved + 0.5) * factor - 0.5  # pixel centres
        return moved.astype(np.float32)

    def to_json(self) -> str:
        """Return the frame as one line of JSON, as it is stored beside weights."""
        return json.dumps(asdict(self))


def create_frame(
    *, crop_hw: Sequence[int] | None = None, size_hw: Sequence[int] | None = None
) -> Frame:
    """Return a frame from lists of height and width, as recipes and weights hold them.

    Raises:
        ShapeError: A list is not two positive whole numbers.
    """
    for size in (crop_hw, size_hw):
        if size is not None and (len(size) != 2 or not all(int(n) == n > 0 for n in size)):
            raise ShapeError(
                f"{size} is no height and width in pixels.",
                actual_shape=tuple(size),
                expected_shape="two positive whole numbers",
            )
    crop, wanted = ((int(s[0]), int(s[1])) if s else None for s in (crop_hw, size_hw))
    return Frame(crop, wanted)


def centre_crop(image: NDArray[np.uint8], crop_hw: SizeHW) -> NDArray[np.uint8]:
    """Return the centre of an (H, W, C) picture; an odd remainder stays below and to the right.

    Raises:
        ShapeError: The picture is not (H, W, C), or smaller than the crop.
    """
    check_shape(image, (None, None, None), name="image")
    height, width = crop_hw
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    if top < 0 or left < 0:
        raise ShapeError(
            f"A picture of {image.shape[1]}×{image.shape[0]} px has no centre of {width}×{height}.",
            actual_shape=image.shape,
            expected_shape=f"at least {height}×{width}",
        )
    return image[top : top + height, left : left + width]


def resize(image: NDArray[np.uint8], size_hw: SizeHW) -> NDArray[np.uint8]:
    """Return an (H, W, C) picture resampled bilinearly, without aliasing, each channel alike.

    Raises:
        ShapeError: The picture is not (H, W, C).
    """
    check_shape(image, (None, None, None), name="image")
    size = size_hw[1], size_hw[0]
    channels = [
        np.asarray(Image.fromarray(image[:, :, c]).resize(size, Image.Resampling.BILINEAR))
        for c in range(image.shape[2])
    ]
    return np.stack(channels, axis=2)
