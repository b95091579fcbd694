"""Splits in which no person appears twice."""

from __future__ import annotations

import hashlib

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
