"""From the bytes of a photo to an aligned face that meets a gallery's policy, or why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from forensic.cases.intake import IntakePolicy, Refusal
from forensic.errors import ImageError, LandmarksError, ManyFacesError
from forensic.images.io import decode_sized
from forensic.values import RGB, Face

if TYPE_CHECKING:
    from forensic.faces.detect import FaceDetector

_DECODED_PER_TEMPLATE = 8
"""Sides of a photo keep this many times the template's size; see `identification.enrol`."""

_CODES = {"not_an_image": "unreadable", "truncated": "unreadable"}
"""Reasons of the decoder that people need not tell apart."""


@dataclass(frozen=True)
class Examined:
    """A photo with one usable face.

    Attributes:
        face: (H, W, 3) uint8, aligned in the embedder's geometry.
        size_px: Width and height of the photo, upright.
        landmarks: Five [x, y] pairs in pixels of the photo.
        quality: What was measured, ready for the records.
    """

    face: RGB
    size_px: tuple[int, int]
    landmarks: list[list[float]]
    quality: dict[str, Any]


class Examiner(Protocol):
    """Looks at photos; made once in each worker process."""

    def __call__(self, files: Sequence[bytes]) -> list[Examined | Refusal]:
        """Return what each file shows, in the same order; no file makes it raise."""


class FaceExaminer:
    """Decodes, finds the face, holds it against the policy, and aligns it.

    Args:
        detector: Finds the faces.
        template: The embedder's geometry, a name in `forensic.faces.align.TEMPLATES`.
        policy: What the gallery takes in.
    """

    def __init__(self, detector: FaceDetector, *, template: str, policy: IntakePolicy) -> None:
        from forensic.faces.align import TEMPLATES

        self._detector, self._template, self._policy = detector, template, policy
        self._needed_px = _DECODED_PER_TEMPLATE * max(TEMPLATES[template].size_hw)

    def __call__(self, files: Sequence[bytes]) -> list[Examined | Refusal]:
        """Return what each file shows, in the same order; photos of one size share a batch."""
        from forensic.faces.search import find_faces

        answers: list[Examined | Refusal | None] = []
        photos: list[tuple[RGB, tuple[int, int]]] = []
        for data in files:
            try:
                photos.append(load_photo(data, at_least_px=self._needed_px))
                answers.append(None)
            except ImageError as error:
                answers.append(Refusal(_CODES.get(error.reason, error.reason), str(error)))
        found = iter(
            find_faces(
                [image for image, _ in photos],
                self._detector,
                kind="photo",
                allow_many=self._policy.several_faces == "heaviest",
            )
        )
        seen = iter(photos)
        return [a if a is not None else self._judge(*next(seen), next(found)) for a in answers]

    def _judge(
        self, image: RGB, size_px: tuple[int, int], found: Face | Exception
    ) -> Examined | Refusal:
        from forensic.faces.align import align_face
        from forensic.faces.quality import sharpness

        if isinstance(found, ManyFacesError):
            return Refusal("several_faces", f"{found.count} faces compete.")
        if not isinstance(found, Face):
            return Refusal("no_face", "No face was found.")
        scale_xy = np.array(size_px) / image.shape[1::-1]
        width_px = (found.box_xyxy_px[2] - found.box_xyxy_px[0]) * float(scale_xy[0])
        if width_px < self._policy.min_face_px:
            told = f"The face is {width_px:.0f} px wide; at least {self._policy.min_face_px} "
            return Refusal("too_small", told + "are asked for.")
        try:
            face, _ = align_face(image, found.landmarks, self._template)
        except LandmarksError:
            return Refusal("no_face", "The face found is not upright.")
        measured = sharpness(face)
        if measured < self._policy.min_sharpness:
            told = f"Sharpness {measured:.3f}; at least {self._policy.min_sharpness} is asked for."
            return Refusal("blurred", told)
        # Landmarks are measured from pixel centres, scales from pixel edges.
        landmarks = (found.landmarks + 0.5) * scale_xy - 0.5
        quality = {
            "face_px": round(width_px, 1),
            "sharpness": round(measured, 4),
            "probability": round(found.probability, 4),
            "detector": found.detector,
        }
        return Examined(face, size_px, landmarks.round(2).tolist(), quality)


def load_photo(data: bytes, *, at_least_px: int) -> tuple[RGB, tuple[int, int]]:
    """Return a photo, no larger than is of use, and its true width and height, upright.

    A batch of scans of forty megapixels would fill the memory; so each is brought down to where
    both its sides keep `at_least_px`.

    Raises:
        ImageError: The content cannot be used.
    """
    image, true_px = decode_sized(data, name="The file", at_least_px=at_least_px)
    factor = min(image.shape[:2]) // at_least_px
    if factor > 1:
        image = np.asarray(Image.fromarray(image).reduce(factor))
    return image, true_px


def create_face_examiner(policy: IntakePolicy, *, template: str, device: str) -> FaceExaminer:
    """Return an examiner with a detector of its own; what a worker process starts with.

    Raises:
        DeviceError: The device is not there.
        UnknownNameError: No such geometry.
    """
    from forensic.faces.detect import FaceDetector

    return FaceExaminer(FaceDetector(device), template=template, policy=policy)
