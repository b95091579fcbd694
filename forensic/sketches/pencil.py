"""Gray and colour sketches in the two candidate readings of CSI's second algorithm.

The paper (section 3.2) says: filter by an edge-aware filter, blend with the magnitude of the
filtered image's gradient, then scale each pixel by a normalization factor. That mixes two effects
of Gastal and Oliveira, both offered by OpenCV; each is one style here, and every result names
the one that it used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import sobel

from forensic.check import check_rgb
from forensic.images.color import LUMA
from forensic.sketches.domain_transform import DomainTransform, Floats
from forensic.values import RGB


@dataclass(frozen=True)
class PencilStyle:
    """Shade each pixel by how many neighbours the edge-aware filter would average there.

    Smooth areas average many pixels and turn bright; near edges the box is cut short and the paper
    stays dark. In colour the shade replaces the luminance and the chrominance is kept.

    Attributes:
        channels: 1 for gray, 3 for colour.
        sigma_s: Spatial scale of the filter in pixels.
        sigma_r: Colour scale of the filter, in units of the full range.
        shade: Brightness per averaged pixel, in units of the full range.

    Source:
        Gastal and Oliveira, SIGGRAPH 2011, section 7 (pencil drawing), with the parameters of
        OpenCV's `pencilSketch`. Differs from it in: the first column of a row that lies wholly
        within the radius is shaded like the others; OpenCV leaves it black.
    """

    channels: Literal[1, 3]
    sigma_s: float = 60.0
    sigma_r: float = 0.07
    shade: float = 0.02

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, channels) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        check_rgb(image)
        rgb = image / 255.0
        transform = DomainTransform.of(rgb, sigma_s=self.sigma_s, sigma_r=self.sigma_r)
        shade = transform.box_sizes() * self.shade
        if self.channels == 1:
            return _to_bytes(shade[:, :, None])
        return _to_bytes(_with_luminance(rgb, shade))


@dataclass(frozen=True)
class StylizationStyle:
    """Flatten the image by the edge-aware filter and darken it along the edges that remain.

    Attributes:
        channels: 1 for gray (the luminance of the result), 3 for colour.
        sigma_s: Spatial scale of the filter in pixels.
        sigma_r: Colour scale of the filter, in units of the full range.
        gradient: `sobel` as OpenCV does since 4.5, or `forward` differences as it did in 2016.

    Source:
        Gastal and Oliveira, SIGGRAPH 2011, section 7 (stylization), with the parameters of
        OpenCV's `stylization`. With `sobel` it equals OpenCV's but for rounding. With `forward` it
        differs from the code of 2016, which by oversight left one channel's gradient undefined.
    """

    channels: Literal[1, 3]
    sigma_s: float = 60.0
    sigma_r: float = 0.45
    gradient: Literal["sobel", "forward"] = "forward"

    def __call__(self, image: RGB) -> NDArray[np.uint8]:
        """Return the sketch of an (H, W, 3) uint8 image as (H, W, channels) uint8.

        Raises:
            ShapeError: The image is not (H, W, 3).
            DtypeError: The image is not uint8.
        """
        check_rgb(image)
        rgb = image / 255.0
        transform = DomainTransform.of(rgb, sigma_s=self.sigma_s, sigma_r=self.sigma_r)
        flat = transform.filter(rgb)
        darkened = flat * (1.0 - _gradient_magnitude(flat, self.gradient))[:, :, None]
        if self.channels == 1:
            darkened = (darkened @ LUMA)[:, :, None]
        return _to_bytes(darkened)


def _gradient_magnitude(image: Floats, kind: str) -> Floats:
    if kind == "sobel":
        # Channel by channel: on three axes SciPy's operator would smooth across the colours too.
        planes = np.moveaxis(image, 2, 0)
        dx = np.stack([sobel(plane, axis=1, mode="mirror") for plane in planes], axis=2)
        dy = np.stack([sobel(plane, axis=0, mode="mirror") for plane in planes], axis=2)
    else:
        dx = np.diff(image, axis=1, append=image[:, -1:])
        dy = np.diff(image, axis=0, append=image[-1:])
    return np.asarray(np.hypot(dx, dy).sum(axis=2))


def _with_luminance(rgb: Floats, luminance: Floats) -> Floats:
    """Replace Y of YCrCb and keep both chrominances: add the same amount to every channel."""
    return rgb + (luminance - rgb @ LUMA)[:, :, None]


def _to_bytes(values: Floats) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), dtype=np.uint8)
