"""Finding the one face of an image, with a second and further look where the first fails.

A detector trained on photos overlooks drawings: thin lines on white paper give it little to see.
Each rung of a ladder of looks changes the image (darker tones, soft lines, other side, more paper
around it, turned upright) or lowers the detector's thresholds, and maps what is found back. The
first look that finds a plausible face of high probability ends the search; if none does, the most
probable plausible face of all looks is taken. `Face.detector` names the look that found it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from forensic.check import check_rgb
from forensic.errors import ManyFacesError, NoFaceError
from forensic.faces.detect import (
    REMEDY,
    THRESHOLDS,
    FaceDetector,
    Thresholds,
    choose_face,
    order_landmarks,
)
from forensic.faces.geometry import Affine, invert_affine, map_points, warp
from forensic.faces.plausible import is_plausible
from forensic.values import RGB, Face

Kind = Literal["photo", "sketch"]

LOW: Thresholds = (0.4, 0.4, 0.5)
"""Thresholds of the later looks; what passes still has to be plausible."""

STRONG = 0.9
"""Probability from which a plausible face ends the search."""

DARK_PAPER = 96
"""A drawing whose border is darker than this (0..255) is also looked at as a negative."""

FLAT = 32
"""A range of tones (0..255) too narrow to be that of a drawing."""

IDENTITY: Affine = np.eye(2, 3)


@dataclass(frozen=True)
class Look:
    """One way to look at an image.

    Attributes:
        name: Goes into `Face.detector`.
        change: Returns the changed image and the map from its pixels to those of the original.
        thresholds: Least probabilities of the three networks.
        everywhere: Skip the proposing network and judge a grid of boxes instead.
        trusted: Do not ask whether the points are plausible. The detector knows photos, and
            profiles lie outside the limits that drawings are held to.
    """

    name: str
    change: Callable[[RGB], tuple[RGB, Affine]]
    thresholds: Thresholds = THRESHOLDS
    everywhere: bool = False
    trusted: bool = False


def find_face(
    image: RGB, detector: FaceDetector, *, kind: Kind = "photo", allow_many: bool = False
) -> Face:
    """Return the one face that an image is about.

    Args:
        image: (H, W, 3) uint8.
        detector: Finds the faces in each look.
        kind: `photo` or `sketch`; decides which looks are tried, see `LADDERS`.
        allow_many: Take the heaviest face of `choose_face` even where another one competes.

    Raises:
        NoFaceError: No look finds a plausible face.
        ManyFacesError: Two faces compete, see `choose_face`.
        ShapeError: The image is not (H, W, 3).
        DtypeError: The image is not uint8.
    """
    found = find_faces([image], detector, kind=kind, allow_many=allow_many)[0]
    if isinstance(found, Face):
        return found
    raise found


def find_faces(
    images: Sequence[RGB], detector: FaceDetector, *, kind: Kind, allow_many: bool = False
) -> list[Face | NoFaceError | ManyFacesError]:
    """Do `find_face` for many images, in batches; what it would raise is returned in its place.

    Raises:
        ShapeError: An image is not (H, W, 3).
        DtypeError: An image is not uint8.
    """
    for image in images:
        check_rgb(image)
    settled: dict[int, Face | NoFaceError | ManyFacesError] = {}
    weak: dict[int, Face] = {}
    for look in LADDERS[kind]:
        pending = [i for i in range(len(images)) if i not in settled]
        seen = look_at([images[i] for i in pending], detector, look, negatives=kind == "sketch")
        for i, faces in zip(pending, seen, strict=True):
            size_hw = images[i].shape[:2]
            strong = [face for face in faces if face.probability >= STRONG]
            if strong:
                settled[i] = _choice(strong, size_hw, allow_many)
            elif faces:
                best = choose_face(faces, size_hw, allow_many=True)
                weak[i] = max(weak.get(i, best), best, key=lambda face: face.probability)
    return [settled.get(i) or weak.get(i) or _no_face(images[i]) for i in range(len(images))]


def look_at(
    images: Sequence[RGB], detector: FaceDetector, look: Look, *, negatives: bool
) -> list[list[Face]]:
    """Return the faces that one look finds in each image, in pixels of that image.

    Args:
        images: Each (H, W, 3) uint8.
        detector: Finds the faces.
        look: What is done to the images.
        negatives: Look also at the negative of images on dark paper.
    """
    views = [(i, image, look.name) for i, image in enumerate(images)]
    if negatives:
        views += [
            (i, np.subtract(255, image, dtype=np.uint8), f"negative-{look.name}")
            for i, image in enumerate(images)
            if _paper_color(image).mean() < DARK_PAPER
        ]
    changed = [look.change(view) for _, view, _ in views]
    detect = detector.detect_everywhere if look.everywhere else detector.detect
    found = detect([view for view, _ in changed], thresholds=look.thresholds)
    faces: list[list[Face]] = [[] for _ in images]
    for (i, _, name), (_, back), seen in zip(views, changed, found, strict=True):
        mapped = [_mapped(face, back, f"mtcnn/{name}") for face in seen]
        faces[i] += [f for f in mapped if look.trusted or is_plausible(f.landmarks)]
    # A wrong polarity finds little and that with low probability: the better one speaks alone.
    best = [max(seen, key=lambda f: f.probability, default=None) for seen in faces]
    return [
        [face for face in seen if top and face.detector == top.detector]
        for seen, top in zip(faces, best, strict=True)
    ]


def _choice(faces: list[Face], size_hw: tuple[int, int], allow_many: bool) -> Face | ManyFacesError:
    try:
        return choose_face(faces, size_hw, allow_many=allow_many)
    except ManyFacesError as error:
        return error


def _no_face(image: RGB) -> NoFaceError:
    height, width, _ = image.shape
    return NoFaceError(f"No face was found in an image of {width}×{height} px. {REMEDY}")


def _mapped(face: Face, back: Affine, detector: str) -> Face:
    left, top, right, bottom = face.box_xyxy_px
    center = map_points(back, [((left + right) / 2, (top + bottom) / 2)])[0]
    # A turned box stays a box of its own size, upright about the centre.
    scale = float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
    half = scale / 2 * np.array([right - left, bottom - top])
    (x0, y0), (x1, y1) = center - half, center + half
    return replace(
        face,
        box_xyxy_px=(float(x0), float(y0), float(x1), float(y1)),
        # A mirror swaps left and right.
        landmarks=order_landmarks(map_points(back, face.landmarks)),
        detector=detector,
    )


def _paper_color(image: RGB) -> NDArray[np.float64]:
    edges = [image[0], image[-1], image[:, 0], image[:, -1]]
    return np.asarray(np.median(np.concatenate(edges), axis=0))


def _same(image: RGB) -> tuple[RGB, Affine]:
    return image, IDENTITY


def _mirrored(image: RGB) -> tuple[RGB, Affine]:
    back = np.array([[-1.0, 0, image.shape[1] - 1], [0, 1, 0]])
    return np.ascontiguousarray(image[:, ::-1]), back


def _leveled(image: RGB) -> tuple[RGB, Affine]:
    """Stretch the tones so that all but the darkest and lightest hundredth fill 0 to 255."""
    low, high = np.percentile(image, (1, 99))
    if high - low < FLAT:  # almost all of it is paper
        low, high = image.min(), image.max()
    stretched = (image.astype(np.float32) - low) * (255 / max(high - low, 1.0))
    return np.clip(stretched, 0, 255).astype(np.uint8), IDENTITY


def _darkened(image: RGB, gamma: float = 4.0) -> tuple[RGB, Affine]:
    """Level, then raise to a power: faint shading becomes the mid tones of skin."""
    unit = _leveled(image)[0].astype(np.float32) / 255
    return (255 * unit**gamma).astype(np.uint8), IDENTITY


def _mirrored_dark(image: RGB) -> tuple[RGB, Affine]:
    mirror, back = _mirrored(image)
    return _darkened(mirror)[0], back


def _softened(image: RGB) -> tuple[RGB, Affine]:
    """Blur by a hundredth of the shorter side, which turns lines into shading, and darken."""
    blur = ImageFilter.GaussianBlur(0.01 * min(image.shape[:2]))
    return _darkened(np.asarray(Image.fromarray(image).filter(blur)), gamma=2.0)


def _on_more_paper(image: RGB) -> tuple[RGB, Affine]:
    """Add a margin of a quarter of the shorter side in the colour of the paper, and darken."""
    margin = min(image.shape[:2]) // 4
    height, width, _ = image.shape
    page = np.empty((height + 2 * margin, width + 2 * margin, 3), dtype=np.uint8)
    page[:] = _paper_color(image)
    page[margin : margin + height, margin : margin + width] = image
    return _darkened(page)[0], np.array([[1.0, 0, -margin], [0, 1, -margin]])


def _turned(degrees: float) -> Callable[[RGB], tuple[RGB, Affine]]:
    def change(image: RGB) -> tuple[RGB, Affine]:
        angle = np.deg2rad(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        center = (np.array(image.shape[1::-1]) - 1) / 2
        matrix = np.column_stack([turn, center - turn @ center])
        return _darkened(warp(image, matrix, image.shape[:2]))[0], invert_affine(matrix)

    return change


_TURNS = tuple(Look(f"turned{degrees:+d}", _turned(degrees), LOW) for degrees in (20, -20, 40, -40))

LADDERS: dict[Kind, tuple[Look, ...]] = {
    "photo": (
        Look("plain", _same, trusted=True),
        Look("mirror", _mirrored, trusted=True),
        Look("levels", _leveled),
        Look("plain-low", _same, LOW),
    ),
    "sketch": (
        Look("plain", _same),
        Look("dark", _darkened),
        Look("dark-low", _darkened, LOW),
        Look("mirror", _mirrored_dark, LOW),
        Look("soft", _softened, LOW),
        Look("paper", _on_more_paper, LOW),
        *_TURNS,
        Look("everywhere", _darkened, LOW, everywhere=True),
    ),
}
"""The looks at each kind of image, in the order in which they are tried."""
