"""Finding faces in images, and the stated rule that picks one among several.

`search` builds on this for drawings, which often need more than one look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from forensic.check import check_landmarks, check_range, check_rgb
from forensic.errors import LandmarksError, ManyFacesError, NoFaceError
from forensic.faces.mtcnn import Cascade, Detections
from forensic.images.tensors import images_to_tensor
from forensic.runtime import choose_device
from forensic.values import RGB, Face, Landmarks

Thresholds = tuple[float, float, float]

THRESHOLDS: Thresholds = (0.6, 0.7, 0.7)
"""Least probability that the P-, R- and O-net let pass; the published setting."""

REMEDY = (
    "Give the five points by hand with --landmarks FILE.json, or, for an image that already lies "
    "in a known geometry, name it with --aligned cufs."
)

CENTRAL_SPREAD = 0.25
"""Standard deviation of the centrality term, in units of the image's shorter side."""

RIVAL_SHARE = 0.5
"""A second face competes when it has at least this share of the best face's weight."""


class FaceDetector:
    """Finds upright faces and their five landmarks with MTCNN.

    Args:
        device: `cpu`, `cuda`, `cuda:N` or `auto`.
        min_face_px: Width of the smallest face looked for; None takes `min_face_share` instead.
        min_face_share: The same as a share of the image's shorter side.
        batch_size: Images of one size that go through the networks together.

    Raises:
        DeviceError: The device is not there.
        RangeError: A number is out of range.
    """

    def __init__(
        self,
        device: str = "cpu",
        *,
        min_face_px: float | None = None,
        min_face_share: float = 1 / 8,
        batch_size: int = 16,
    ) -> None:
        check_range(min_face_share, 0.01, 1, name="min_face_share")
        check_range(min_face_px or 12, 12, 10_000, name="min_face_px")
        check_range(batch_size, 1, 10_000, name="batch_size")
        self._cascade = Cascade(choose_device(device))
        self._min_face_px = min_face_px
        self._min_face_share = min_face_share
        self._batch_size = batch_size

    def detect(
        self, images: Sequence[RGB], *, thresholds: Thresholds = THRESHOLDS
    ) -> list[list[Face]]:
        """Return all faces of each image, the most probable first; a list may be empty.

        Images of one size share a batch. A face whose points cannot be those of an upright face
        is left out.

        Args:
            images: Each (H, W, 3) uint8; sizes may differ.
            thresholds: Least probabilities of the three networks.

        Raises:
            ShapeError: An image is not (H, W, 3).
            DtypeError: An image is not uint8.
        """
        return self._in_batches(images, partial(self._detect_batch, thresholds=thresholds))

    def detect_everywhere(
        self, images: Sequence[RGB], *, thresholds: Thresholds = THRESHOLDS
    ) -> list[list[Face]]:
        """Do `detect` without the proposing networks: the O-net judges a grid of squares.

        Some hundred squares from a third of the shorter side to all of it are judged; the likeliest
        are moved to where the network wants them and judged again. Slow, but it finds faces in
        drawings that the first networks, which see only 12 and 24 pixels, throw away.

        Args:
            images: Each (H, W, 3) uint8; sizes may differ.
            thresholds: Only the last one, the O-net's, is used.

        Raises:
            ShapeError: An image is not (H, W, 3).
            DtypeError: An image is not uint8.
        """
        return self._in_batches(images, partial(self._judge_batch, least=thresholds[2]))

    def _in_batches(
        self, images: Sequence[RGB], detect: Callable[[list[RGB]], list[list[Face]]]
    ) -> list[list[Face]]:
        groups = defaultdict(list)
        for position, image in enumerate(images):
            check_rgb(image)
            groups[image.shape].append(position)
        faces: list[list[Face]] = [[] for _ in images]
        for positions in groups.values():
            for start in range(0, len(positions), self._batch_size):
                chosen = positions[start : start + self._batch_size]
                for position, found in zip(
                    chosen, detect([images[i] for i in chosen]), strict=True
                ):
                    faces[position] = found
        return faces

    def _detect_batch(self, images: list[RGB], *, thresholds: Thresholds) -> list[list[Face]]:
        height, width, _ = images[0].shape
        least = self._min_face_px or max(12.0, self._min_face_share * min(height, width))
        small = [_reduced(image, least) for image in images]
        ratio_xy = np.array([width / small[0].shape[1], height / small[0].shape[0]])
        detections = self._cascade.detect(
            images_to_tensor(small),
            min_face_px=max(12.0, least / float(ratio_xy.max())),
            thresholds=thresholds,
        )
        return faces_from(detections, ratio_xy, n_images=len(images), detector="mtcnn/plain")

    def _judge_batch(self, images: list[RGB], *, least: float) -> list[list[Face]]:
        boxes = torch.from_numpy(_square_grid(images[0].shape[:2]))
        found = self._cascade.detect_in(images_to_tensor(images), boxes, threshold=least)
        return faces_from(found, np.ones(2), n_images=len(images), detector="mtcnn/everywhere")


def faces_from(
    detections: Detections, ratio_xy: NDArray[np.float64], *, n_images: int, detector: str
) -> list[list[Face]]:
    """Return detections as faces per image, in pixels of images `ratio_xy` times as large."""
    faces: list[list[Face]] = [[] for _ in range(n_images)]
    # The cascade measures from pixel edges, landmarks are measured from pixel centres.
    boxes = detections.boxes_xyxy * np.tile(ratio_xy, 2) - 0.5
    points = detections.points * ratio_xy - 0.5
    for box, five, probability, image in zip(
        boxes, points, detections.probabilities, detections.image_index, strict=True
    ):
        ordered = order_landmarks(five)
        try:
            check_landmarks(ordered)
        except LandmarksError:
            continue
        left, top, right, bottom = map(float, box)
        faces[image].append(Face((left, top, right, bottom), ordered, float(probability), detector))
    return faces


def order_landmarks(points: NDArray[np.floating]) -> Landmarks:
    """Return five points with the smaller x first within the eyes and within the mouth."""
    eyes = points[np.argsort(points[:2, 0], kind="stable")]
    mouth = points[3 + np.argsort(points[3:5, 0], kind="stable")]
    return np.concatenate([eyes, points[2:3], mouth]).astype(np.float32)


def choose_face(
    faces: Sequence[Face], size_hw: tuple[int, int], *, allow_many: bool = False
) -> Face:
    """Return the one face that an image is about.

    Rule: a face's weight is its area, times its probability, times a Gaussian of the distance
    between the face's centre and the image's centre whose standard deviation is a quarter of the
    shorter side. The heaviest face is taken: large and central wins over larger at the border.

    Args:
        faces: Faces found in one image.
        size_hw: Height and width of that image in pixels.
        allow_many: Take the heaviest face even where another one competes.

    Raises:
        NoFaceError: `faces` is empty.
        ManyFacesError: Another face has at least half the weight of the heaviest.
    """
    if not faces:
        raise NoFaceError(
            f"No face was found in an image of {size_hw[1]}×{size_hw[0]} px. {REMEDY}"
        )
    weights = np.array([_weight(face, size_hw) for face in faces])
    best = weights.max()
    n_rivals = int((weights >= RIVAL_SHARE * best).sum())
    if n_rivals > 1 and not allow_many:
        raise ManyFacesError(
            f"{n_rivals} faces of similar size and place were found, and none stands out. Crop the "
            f"image to the one that is meant. {REMEDY}",
            count=n_rivals,
        )
    return faces[int(weights.argmax())]


def _weight(face: Face, size_hw: tuple[int, int]) -> float:
    left, top, right, bottom = face.box_xyxy_px
    offset = np.hypot((left + right + 1 - size_hw[1]) / 2, (top + bottom + 1 - size_hw[0]) / 2)
    spread = CENTRAL_SPREAD * min(size_hw)
    central = np.exp(-0.5 * (offset / spread) ** 2)
    return float((right - left) * (bottom - top) * central * face.probability)


def _reduced(image: RGB, min_face_px: float) -> RGB:
    """Return the image so small that the smallest face is 48 px wide, all that the O-net sees."""
    scale = 48 / min_face_px
    if scale >= 1:
        return image
    height, width, _ = image.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.HAMMING))


def _square_grid(size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Return (N, 4) squares of several widths, each a fifth of its width from the next."""
    height, width = size_hw
    boxes = []
    for share in (0.35, 0.42, 0.5, 0.6, 0.72, 0.86, 1.0):
        side = share * min(size_hw)
        lefts = np.arange(0, width - side + 1, side / 5)
        tops = np.arange(0, height - side + 1, side / 5)
        left, top = (axis.ravel() for axis in np.meshgrid(lefts, tops))
        boxes.append(np.stack([left, top, left + side, top + side], axis=1))
    return np.concatenate(boxes).astype(np.float32)
