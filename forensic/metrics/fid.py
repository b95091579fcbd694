"""Distances between two sets of images, by the features of a frozen network.

The Fréchet distance is biased upwards on few images and the kernel distance is not; a result
carries the numbers of images and the name of the network whose features were compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import ShapeError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """What the Fréchet distance sees of a set of images.

    Attributes:
        mean: (D,).
        covariance: (D, D), that of a sample.
    """

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, features: NDArray[np.floating]) -> Gaussian:
        """Return mean and covariance of features (N, D), N at least 2.

        Raises:
            ShapeError: Not two axes, or fewer than two images.
        """
        check_shape(features, (None, None), name="features")
        if len(features) < 2:
            raise ShapeError(
                "A covariance needs at least two images.",
                actual_shape=features.shape,
                expected_shape="at least two rows",
            )
        rows = np.asarray(features, dtype=np.float64)
        return cls(rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False)))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Return the squared Fréchet distance of two Gaussians, 0 or more, lower is nearer.

    |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½). The trace of the root is taken from the eigenvalues of
    the symmetric C1^½ C2 C1^½, which exist for singular covariances too, as small sets have.

    Raises:
        ShapeError: The two have different dimensions.

    Source:
        Heusel et al., GANs Trained by a Two Time-Scale Update Rule, 2017, equation 6.
    """
    if first.mean.shape != second.mean.shape:
        raise ShapeError(
            f"Features have {len(first.mean)} and {len(second.mean)} dimensions.",
            actual_shape=first.mean.shape,
            expected_shape=str(second.mean.shape),
        )
    values, vectors = np.linalg.eigh(first.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = root @ second.covariance @ root
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0)).sum()
    apart = float(np.square(first.mean - second.mean).sum())
    return max(
        0.0, apart + float(np.trace(first.covariance) + np.trace(second.covariance) - 2 * cross)
    )


def kernel_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the kernel inception distance of features (N, D) and (M, D), lower is nearer.

    The unbiased squared maximum mean discrepancy under the kernel (x·y / D + 1)³; it is about 0
    for two samples of one distribution, and may be negative.

    Raises:
        ShapeError: Not two axes each, different dimensions, or fewer than two images.

    Source:
        Bińkowski et al., Demystifying MMD GANs, ICLR 2018, section 4.
    """
    check_shape(first, (None, None), name="features")
    check_shape(second, (None, first.shape[1]), name="other features")
    n, m = len(first), len(second)
    if min(n, m) < 2:
        raise ShapeError(
            "The kernel distance needs at least two images on each side.",
            actual_shape=(n, m),
            expected_shape="at least (2, 2)",
        )
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    within_x, within_y, across = (_kernel(a, b) for a, b in ((x, x), (y, y), (x, y)))
    return float(
        (within_x.sum() - np.trace(within_x)) / (n * (n - 1))
        + (within_y.sum() - np.trace(within_y)) / (m * (m - 1))
        - 2 * across.mean()
    )


def _kernel(x: Floats, y: Floats) -> Floats:
    return np.asarray((x @ y.T / x.shape[1] + 1) ** 3)
