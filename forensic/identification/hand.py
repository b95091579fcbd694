"""What all sketches of one hand share, taken out of each of them.

An artist's style moves all their sketches the same way in the space of an embedder. The mean of
other sketches by that artist tells which way; nobody's photo is needed for it.

Source:
    Centring scores on a cohort like the probe is known from speaker recognition (adaptive score
    normalisation; Matejka et al., Interspeech 2017). A gallery's bias towards a style is the
    product of its photos with the style's mean vector, so subtracting that mean does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from forensic.embedders.embedder import unit_rows
from forensic.errors import DataFolderError, InputError
from forensic.files import sha256_of_bytes
from forensic.identification.inverter import BATCH_SIZE
from forensic.identification.probes import Method, Probes
from forensic.images.io import list_images, load_image
from forensic.sketches.normalise import normalise_sketch
from forensic.values import RGB, Landmarks, Vectors

FEWEST, MOST = 3, 64
"""Sketches of a hand: fewer say too little, more no longer change the mean."""

SHRINK = 2.0
"""How many sketches without any shift are added to those of the hand: few are trusted less."""


@dataclass(frozen=True)
class Hand:
    """Sketches by one artist, to learn from what they share.

    Attributes:
        sketches: Each (H, W, 3) uint8, normalised.
        landmarks: Five points of each.
        rejected: Sketches that cannot be used, and why, by path below their folder.
    """

    sketches: tuple[RGB, ...]
    landmarks: tuple[Landmarks, ...]
    rejected: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Return one SHA-256 for the pixels of all of them, in whatever order."""
        digests = (sha256_of_bytes(sketch.tobytes()) for sketch in self.sketches)
        return sha256_of_bytes("".join(sorted(digests)).encode())


def read_hand(folder: Path, find: Callable[[RGB], Landmarks]) -> Hand:
    """Read sketches by one artist; of more than `MOST`, a fixed choice without regard to names.

    Args:
        folder: Sketches, nested or not.
        find: Returns the five points of a sketch.

    Raises:
        DataFolderError: The folder is missing, or fewer than `FEWEST` sketches can be used.
    """
    paths = sorted(list_images(folder), key=lambda path: sha256_of_bytes(path.read_bytes()))
    usable: list[tuple[RGB, Landmarks]] = []
    rejected: dict[str, str] = {}
    for path in paths:
        if len(usable) == MOST:
            break
        name = path.relative_to(folder).as_posix()
        try:
            sketch = normalise_sketch(load_image(path), name=name).image
            usable.append((sketch, find(sketch)))
        except InputError as error:
            rejected[name] = str(error)
    if len(usable) < FEWEST:
        reasons = "".join(f" {name}: {reason}" for name, reason in rejected.items())
        raise DataFolderError(
            f"{folder} holds {len(usable)} usable sketches; what a hand has in common needs at "
            f"least {FEWEST} sketches of different people by the same artist.{reasons}"
        )
    sketches, landmarks = zip(*usable, strict=True)
    return Hand(sketches, landmarks, rejected)


def centre_rows(vectors: Vectors, sketches: Vectors) -> Vectors:
    """Return unit rows without what the sketches of their hand share.

    A row may be among the sketches: taking out a share of itself only changes its length, so that
    n sketches with it say the same as the n - 1 others.

    Args:
        vectors: (B, D) unit rows.
        sketches: (n, D) unit rows of sketches of that hand.

    Raises:
        RangeError: A row is nothing but what its hand shares.
    """
    shared = sketches.sum(axis=0, dtype=np.float64) / (len(sketches) + SHRINK)
    return unit_rows(vectors - shared)


class HandMethod:
    """Another method, without what all sketches of one hand share.

    A probe may be among the hand's sketches, see `centre_rows`.

    Args:
        method: The other method; its name and weights remain.
        hand: Other sketches by the same artist.

    Raises:
        InputError: A sketch or its landmarks cannot be used.
    """

    def __init__(self, method: Method, hand: Hand) -> None:
        self.name, self.embedder = method.name, method.embedder
        self.weights_sha256 = method.weights_sha256
        self.hand = hand
        self._method = method
        starts = range(0, len(hand.sketches), BATCH_SIZE)
        parts = [slice(start, start + BATCH_SIZE) for start in starts]
        self._rows = np.concatenate(
            [method.probe(hand.sketches[part], hand.landmarks[part]).vectors for part in parts]
        )

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> Probes:
        """Return the method's vectors without what the hand's sketches share, and its faces.

        Raises:
            InputError: A sketch or its landmarks cannot be used.
            RangeError: A sketch is nothing but what its hand shares.
        """
        probes = self._method.probe(sketches, landmarks, is_simulated=is_simulated)
        return replace(probes, vectors=centre_rows(probes.vectors, self._rows))
