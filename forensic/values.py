"""Array aliases and small frozen value objects that several packages exchange."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]
"""(H, W, 3) uint8 image, red first."""

Landmarks = NDArray[np.float32]
"""(5, 2) float32 points in pixels, x before y: the eye, then the other eye (smaller x in the
picture first), nose tip, and the two mouth corners (smaller x first)."""

Vectors = NDArray[np.float32]
"""(N, D) float32 rows of unit length."""

LEAD_ONLY = (
    "Investigative leads only. A ranked list says who resembles the sketch most among those "
    "enrolled; it identifies nobody, it is no probable cause, and the person may not be enrolled "
    "at all. Independent corroboration is required."
)
"""What every list, page and report says first."""


@dataclass(frozen=True)
class Face:
    """One face found in an image.

    Attributes:
        box_xyxy_px: Left, top, right, bottom in pixels; may reach outside the image.
        landmarks: Five points in pixels of the image it was found in, see `Landmarks`.
        probability: Confidence of the detector in [0, 1]; 1 for landmarks given by a person.
        detector: Name of the detector and of the pass that found it, e.g. `mtcnn/plain`.
    """

    box_xyxy_px: tuple[float, float, float, float]
    landmarks: Landmarks
    probability: float
    detector: str


@dataclass(frozen=True)
class Candidate:
    """One entry of a ranked list: a lead, never an identification.

    Attributes:
        rank: 1 is the most similar.
        subject_id: The gallery's identifier of the person.
        photo_id: The gallery's identifier of the photo that matched best.
        similarity: Cosine of the two embeddings in [-1, 1]; higher is nearer; no probability.
    """

    rank: int
    subject_id: str
    photo_id: str
    similarity: float
