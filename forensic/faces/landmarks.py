"""Landmarks that come from people: JSON files, and images in a known fixed geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forensic.check import check_landmarks, check_rgb
from forensic.errors import LandmarksError
from forensic.faces.geometry import map_points, similarity_between
from forensic.files import read_json
from forensic.registry import Registry
from forensic.values import RGB, Landmarks

Point = tuple[float, float]

NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
"""Keys of the five points; left and right are those of the picture, not of the person."""


@dataclass(frozen=True)
class AlignedGeometry:
    """Where the five landmarks lie in every image of a set that was aligned by its makers.

    Attributes:
        size_hw: The one size that the images have.
        landmarks: (5, 2) points in pixels.
    """

    size_hw: tuple[int, int]
    landmarks: Landmarks


ALIGNED: Registry[AlignedGeometry] = Registry(
    "aligned geometry",
    {
        # Eyes where the makers of CUFS put them. Nose and mouth are the mean of what FaceDetector
        # finds in its 168 training photos (88 CUHK student, 80 AR), made symmetric about x = 100
        # and rounded to half a pixel; they vary by a standard deviation of 2 px in x and 3.6 in y.
        # The eyes found there lie on average 0.5 px from the nominal ones.
        "cufs": AlignedGeometry(
            (250, 200),
            np.array([(75, 125), (125, 125), (100, 153), (79.5, 181), (120.5, 181)], np.float32),
        ),
    },
)
"""Geometries of sets that come aligned, for `--aligned NAME`."""


def aligned_landmarks(image: RGB, geometry: str) -> Landmarks:
    """Return the landmarks of an image that already lies in a named geometry.

    Raises:
        UnknownNameError: No such geometry.
        LandmarksError: The image has another size than the geometry.
        ShapeError: The image is not (H, W, 3).
        DtypeError: The image is not uint8.
    """
    check_rgb(image)
    known = ALIGNED[geometry]
    if image.shape[:2] != known.size_hw:
        height, width = known.size_hw
        raise LandmarksError(
            f"The image has {image.shape[1]}×{image.shape[0]} px, but images aligned as "
            f"{geometry!r} have {width}×{height}. Leave --aligned out, or give --landmarks."
        )
    return known.landmarks.copy()


def load_landmarks(path: Path) -> Landmarks:
    """Return the five landmarks of one image from a JSON file.

    The file holds `{"landmarks": [[x, y], ...]}` with five points in the order of
    `forensic.values.Landmarks`, or an object with the keys of `NAMES`. The nose may be left out
    of the second form and is then estimated, see `estimate_nose`.

    Raises:
        LandmarksError: The file is missing, not JSON, or its points are unusable.
    """
    return _points(_document(path), where=str(path))


def load_landmarks_by_file(path: Path) -> dict[str, Landmarks]:
    """Return landmarks per image from one JSON object whose keys are file names.

    Raises:
        LandmarksError: The file is missing, not such an object, or an entry is unusable.
    """
    document = _document(path)
    if not isinstance(document, dict) or not document:
        raise LandmarksError(f"{path} must hold one object that maps file names to landmarks.")
    return {name: _points(entry, where=f"{path}, {name}") for name, entry in document.items()}


def estimate_nose(
    *, left_eye: Point, right_eye: Point, mouth_left: Point, mouth_right: Point
) -> Point:
    """Return where the nose tip lies in the mean face of the `cufs` geometry.

    The four points fix a similarity from that mean face; its nose is taken along.

    Raises:
        LandmarksError: The four points coincide.
    """
    mean = ALIGNED["cufs"].landmarks.astype(np.float64)
    four = np.array([left_eye, right_eye, mouth_left, mouth_right], dtype=np.float64)
    x, y = map_points(similarity_between(mean[[0, 1, 3, 4]], four), mean[2:3])[0]
    return float(x), float(y)


def _document(path: Path) -> Any:
    try:
        return read_json(path)
    except OSError as error:
        raise LandmarksError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise LandmarksError(f"{path} is not JSON: {error}.") from error


def _points(entry: Any, *, where: str) -> Landmarks:
    if not isinstance(entry, Mapping):
        raise LandmarksError(
            f"{where}: expected an object with 'landmarks' or with {', '.join(NAMES)}."
        )
    if "landmarks" in entry:
        five = entry["landmarks"]
        if not isinstance(five, list) or len(five) != len(NAMES):
            raise LandmarksError(f"{where}: 'landmarks' must be a list of five [x, y] points.")
        points = [_point(five[i], where=f"{where}, point {i + 1}") for i in range(len(NAMES))]
    else:
        points = _named_points(entry, where=where)
    landmarks = np.array(points, dtype=np.float32)
    try:
        check_landmarks(landmarks)
    except LandmarksError as error:
        raise LandmarksError(f"{where}: {error}") from error
    return landmarks


def _named_points(entry: Mapping[str, Any], *, where: str) -> list[Point]:
    missing = [name for name in NAMES if name not in entry and name != "nose"]
    unknown = [name for name in entry if name not in NAMES]
    if missing or unknown:
        raise LandmarksError(
            f"{where}: "
            + "; ".join(
                f"{what} {', '.join(names)}"
                for what, names in (("missing", missing), ("unknown", unknown))
                if names
            )
            + f". Known: {', '.join(NAMES)} (nose may be left out)."
        )
    named = {name: _point(entry[name], where=f"{where}, {name}") for name in entry}
    if "nose" not in named:
        named["nose"] = estimate_nose(**named)
    return [named[name] for name in NAMES]


def _point(value: Any, *, where: str) -> Point:
    is_pair = isinstance(value, list) and len(value) == 2
    if not is_pair or not all(type(v) in (int, float) for v in value):
        raise LandmarksError(f"{where}: expected [x, y] in pixels, found {value!r}.")
    return float(value[0]), float(value[1])
