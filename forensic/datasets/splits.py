"""Splits in which no person appears twice, and one in which nearly everybody does."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_range


def split_of_subject(subject: str, *, validation_fraction: float, seed: int) -> str:
    """Return `train` or `validation` for a person, whatever else the data set holds.

    The choice depends on the name and the seed alone, so that a person stays on one side when
    photos or people are added.

    Args:
        subject: The person's identifier.
        validation_fraction: Share of people kept for validation, 0 to 1.
        seed: Another seed gives another split.

    Raises:
        RangeError: The fraction lies outside 0 to 1.
    """
    check_range(validation_fraction, 0, 1, name="validation fraction")
    digest = hashlib.sha256(f"{seed}/{subject}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "validation" if share < validation_fraction else "train"


def leaky_split(
    n_images: int, *, test_share: float = 300 / 1504, seed: int = 0
) -> NDArray[np.bool_]:
    """Return (n,) whether each picture is a test picture, drawn without regard to who is on it.

    After eight-fold augmentation nearly every test picture then has a turned or mirrored sibling
    in training: figures on it measure interpolation, and carry the word "leaky".

    Args:
        n_images: Number of pictures, siblings included.
        test_share: 300 of 1,504 in the paper.
        seed: Another seed gives another draw.

    Raises:
        RangeError: The share lies outside 0 to 1.

    Source:
        Skubisz, Investigative Study on Generative Models for Face2Sketch and Sketch2Face, section
        IV-A.
    """
    check_range(test_share, 0, 1, name="test share")
    drawn = np.random.default_rng(seed).permutation(n_images)[: round(n_images * test_share)]
    is_test = np.zeros(n_images, dtype=bool)
    is_test[drawn] = True
    return is_test
