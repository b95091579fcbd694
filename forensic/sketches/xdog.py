"""Ink drawings by the extended difference of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from forensic.images.color import rgb_to_gray
from forensic.values import RGB

NOMINAL_PX = 256


@dataclass(frozen=True)
class XDoGStyle:
    """White where a sharpened picture is bright, falling softly to black where it is dark.

    Attributes:
        sigma: Deviation of the finer Gaussian, in pixels of a picture of 256; it grows with the
            height of the picture.
        ratio: Deviation of the coarser Gaussian over that of the finer.
        sharpness: How much of their difference is added to the picture.
        threshold: Level from which on the paper stays white, in units of the full range.
        steepness: How fast it turns black below.

    Source:
        Winnemöller, Kyprianidis, Olsen: XDoG, Computers & Graphics 2012, equations 5 and 7.
    """

    sigma: float = 0.9
    ratio: float = 1.6
    sharpness: float = 19.0
    threshold: float = 0.34
    steepness: float = 6.0
    channels: ClassVar[int] = 1

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, 1) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        gray = rgb_to_gray(image) / 255.0
        sigma = self.sigma * image.shape[0] / NOMINAL_PX
        fine = gaussian_filter(gray, sigma, mode="nearest")
        coarse = gaussian_filter(gray, self.ratio * sigma, mode="nearest")
        sharp = fine + self.sharpness * (fine - coarse)
        ink = 1 + np.tanh(self.steepness * np.minimum(sharp - self.threshold, 0))
        return np.asarray(np.rint(255 * ink), dtype=np.uint8)[:, :, None]
