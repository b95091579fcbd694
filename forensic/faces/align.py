"""Bringing a face into a named geometry, from its five landmarks.

Two kinds of template exist: CSI's crop, fixed by the heights of eyes and mouth, and templates
of target points, reached by a least-squares similarity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forensic.check import check_landmarks
from forensic.faces.geometry import Affine, map_points, similarity_between, warp
from forensic.faces.landmarks import ALIGNED
from forensic.registry import Registry
from forensic.values import RGB, Landmarks

ARCFACE_112 = np.array(
    [(38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20)]
)
"""Five target points of the 112×112 geometry of ArcFace (Deng et al., CVPR 2019)."""


class Template(Protocol):
    """A geometry that a face can be brought into."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""

    def matrix(self, landmarks: Landmarks) -> Affine:
        """Return the (2, 3) map from image pixels to this geometry."""


@dataclass(frozen=True)
class PointTemplate:
    """A geometry given by where five landmarks should land."""

    size_hw: tuple[int, int]
    points: np.ndarray

    def matrix(self, landmarks: Landmarks) -> Affine:
        """Return the similarity that brings `landmarks` nearest to the template's points.

        Raises:
            LandmarksError: The landmarks are not those of an upright face.
        """
        check_landmarks(landmarks)
        return similarity_between(landmarks, self.points)


@dataclass(frozen=True)
class CSITemplate:
    """The crop of Convolutional Sketch Inversion, section 3.1, or a multiple of it.

    In units of a 96-pixel frame: top to eyes 38, eyes to mouth 32, mouth to bottom 26; the mean
    x of eyes and mouth at the centre. The paper mentions no rotation; `roll` levels the eyes.

    Attributes:
        size_hw: Square frame in pixels, 96 in the paper.
        roll: Turn the image so that the line through the eyes is level.
    """

    size_hw: tuple[int, int] = (96, 96)
    roll: bool = False

    def matrix(self, landmarks: Landmarks) -> Affine:
        """Return the map that puts eyes and mouth at the heights of the paper.

        Raises:
            LandmarksError: The landmarks are not those of an upright face.
        """
        check_landmarks(landmarks)
        points = np.asarray(landmarks, dtype=np.float64)
        turn = np.eye(2, 3)
        if self.roll:
            dx, dy = points[1] - points[0]
            angle = np.arctan2(dy, dx)
            turn[:, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
            points = map_points(turn, points).astype(np.float64)
            check_landmarks(points)
        unit = self.size_hw[0] / 96
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        scale = 32 * unit / (mouth[1] - eyes[1])
        center_x = (eyes[0] + mouth[0]) / 2
        shift = np.array([48 * unit - scale * center_x, 38 * unit - scale * eyes[1]])
        return np.column_stack([scale * turn[:, :2], shift])


TEMPLATES: Registry[Template] = Registry(
    "face geometry",
    {
        "csi-96": CSITemplate(),
        "csi-96-roll": CSITemplate(roll=True),
        "csi-192": CSITemplate((192, 192)),
        # The frame in which CUFS lies: its own pictures keep every pixel.
        "cufs-250": PointTemplate(ALIGNED["cufs"].size_hw, ALIGNED["cufs"].landmarks),
        # The square in the middle of that frame, at the size of Cali-Sketch and DeepFacePencil;
        # the portraits of CelebA-HQ nearly fill it too.
        "portrait-256": PointTemplate((256, 256), (ALIGNED["cufs"].landmarks - (0, 25)) * 1.28),
        "arcface-112": PointTemplate((112, 112), ARCFACE_112),
        "arcface-112x96": PointTemplate((112, 96), ARCFACE_112 - (8, 0)),
        # FaceNet crops the detector's box with a margin and never warps; these points are where
        # that crop puts the landmarks of an upright face, so that given landmarks suffice.
        "facenet-160": PointTemplate((160, 160), (ARCFACE_112 - 56) * (160 / 132) + (80, 80)),
    },
)
"""Geometries by name; the number is the height in pixels."""


def align_face(image: RGB, landmarks: Landmarks, template: str) -> tuple[RGB, Landmarks]:
    """Return a face in a named geometry, and where its landmarks have gone.

    Args:
        image: (H, W, 3) uint8.
        landmarks: (5, 2) points in pixels of `image`.
        template: A name in `TEMPLATES`.

    Returns:
        The aligned face, (height, width, 3) uint8, and the (5, 2) landmarks in its pixels.

    Raises:
        UnknownNameError: No such geometry.
        LandmarksError: The landmarks are not those of an upright face.
        ShapeError: The image is not (H, W, 3).
        DtypeError: The image is not uint8.
    """
    chosen = TEMPLATES[template]
    matrix = chosen.matrix(landmarks)
    return warp(image, matrix, chosen.size_hw), map_points(matrix, landmarks)
