"""Drawings as a worn photocopier makes them: toner where a place is darker than around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from forensic.images.color import rgb_to_gray
from forensic.values import RGB

NOMINAL_PX = 256
GRAIN = 16.0
"""Added to every gray level of 255, so that the noise of a black background has no ratio."""


@dataclass(frozen=True)
class PhotocopyStyle:
    """Each pixel over the mean of its surroundings, its deficit turned into toner.

    Attributes:
        detail_px: Deviation of the blur that removes grain, in pixels of a picture of 256; both
            sizes grow with the height of the picture.
        around_px: Deviation of the surroundings.
        white: Ratio from which on the paper stays white.
        black: Ratio at which it is black.

    Source:
        The second style of Cali-Sketch, section 4.1, names the effect of that name in a commercial
        programme, whose formula is not published; this one is ours.
    """

    detail_px: float = 0.7
    around_px: float = 7.0
    white: float = 0.93
    black: float = 0.65
    channels: ClassVar[int] = 1

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, 1) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        gray = rgb_to_gray(image) + GRAIN
        unit = image.shape[0] / NOMINAL_PX
        detail = gaussian_filter(gray, self.detail_px * unit, mode="nearest")
        around = gaussian_filter(gray, self.around_px * unit, mode="nearest")
        paper = np.clip((detail / around - self.black) / (self.white - self.black), 0, 1)
        return np.asarray(np.rint(255 * paper), dtype=np.uint8)[:, :, None]
