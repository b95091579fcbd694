"""Line sketches by colour dodge, the pencil-like style of CSI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from forensic.errors import RangeError
from forensic.images.color import rgb_to_gray
from forensic.values import RGB


@dataclass(frozen=True)
class LineStyle:
    """Gray level divided by its own blur: flat areas turn white, edges and dark strokes stay.

    The paper's recipe (negative, Gaussian blur, colour dodge with the gray original) is this
    division. Applied to a hand-drawn sketch it evens out the paper and keeps the strokes.

    Attributes:
        kernel_px: Odd width of the Gaussian window. Its deviation follows OpenCV's rule for
            sigma = 0, 0.3 ((kernel - 1) / 2 - 1) + 0.8, which gives 3.5 px for 21.

    Raises:
        RangeError: The width is not an odd number of pixels.

    Source:
        Güçlütürk et al., Convolutional Sketch Inversion, 2016, section 3.2, which cites Beyeler,
        OpenCV with Python Blueprints, chapter 1.
    """

    kernel_px: int = 21
    channels: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.kernel_px < 1 or self.kernel_px % 2 == 0:
            raise RangeError(f"kernel_px is {self.kernel_px}, expected an odd number of pixels.")

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, 1) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        gray = rgb_to_gray(image).astype(np.float32)
        blurred = np.rint(_gaussian_blur(gray, self.kernel_px))
        dodged = np.divide(gray * 256, blurred, out=np.zeros_like(gray), where=blurred > 0)
        return np.asarray(np.rint(np.clip(dodged, 0, 255)), dtype=np.uint8)[:, :, None]


def _gaussian_blur(gray: NDArray[np.float32], kernel_px: int) -> NDArray[np.float32]:
    radius = kernel_px // 2
    sigma = 0.3 * (radius - 1) + 0.8
    taps = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    taps /= taps.sum()
    rows = correlate1d(gray, taps, axis=0, mode="mirror")
    return np.asarray(correlate1d(rows, taps, axis=1, mode="mirror"))
