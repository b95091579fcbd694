"""Guards at public borders: each raises one of `forensic.errors` or returns nothing."""

from __future__ import annotations

from typing import Any

from forensic.errors import DtypeError, LandmarksError, RangeError, ShapeError


def check_shape(array: Any, expected: tuple[int | None, ...], *, name: str = "array") -> None:
    """Refuse an array or tensor whose shape differs from `expected` (None admits any size).

    Raises:
        ShapeError: The number of axes or the size of one of them differs.
    """
    actual = tuple(array.shape)
    fits = len(actual) == len(expected) and all(
        e is None or a == e for a, e in zip(actual, expected, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if e is None else str(e) for e in expected) + ")"
        raise ShapeError(
            f"{name} has shape {actual}, expected {wanted}.",
            actual_shape=actual,
            expected_shape=wanted,
        )


def check_same_shape(a: Any, b: Any, *, names: str = "the two arrays") -> None:
    """Refuse two arrays or tensors of different shapes.

    Raises:
        ShapeError: The shapes differ.
    """
    if tuple(a.shape) != tuple(b.shape):
        raise ShapeError(
            f"{names} have shapes {tuple(a.shape)} and {tuple(b.shape)}; they must be equal.",
            actual_shape=tuple(a.shape),
            expected_shape=str(tuple(b.shape)),
        )


def check_rgb(image: Any, *, name: str = "image") -> None:
    """Refuse anything but an (H, W, 3) uint8 array.

    Raises:
        ShapeError: Not three axes, or not three channels.
        DtypeError: Not uint8.
    """
    check_shape(image, (None, None, 3), name=name)
    if str(image.dtype) != "uint8":
        raise DtypeError(f"{name} has dtype {image.dtype}, expected uint8 in 0..255.")


def check_range(value: float, low: float, high: float, *, name: str) -> None:
    """Refuse a number outside [low, high].

    Raises:
        RangeError: The number lies outside, or is NaN.
    """
    if not low <= value <= high:
        raise RangeError(f"{name} is {value}, expected {low} to {high}.")


def check_landmarks(landmarks: Any) -> None:
    """Refuse anything but five finite points with the eyes above the mouth and apart.

    Raises:
        LandmarksError: The points cannot be those of an upright face.
    """
    shape = tuple(landmarks.shape)
    if shape != (5, 2):
        raise LandmarksError(f"Landmarks have shape {shape}, expected five points (5, 2), x first.")
    eyes_y, mouth_y = landmarks[:2, 1].mean(), landmarks[3:, 1].mean()
    if not (abs(landmarks) < 1e6).all():
        raise LandmarksError("Landmarks contain a value that is not a finite pixel position.")
    if mouth_y - eyes_y < 2 or landmarks[1, 0] - landmarks[0, 0] < 2:
        raise LandmarksError(
            "Landmarks do not describe an upright face: the order is eye at smaller x, eye at "
            "larger x, nose, mouth corner at smaller x, mouth corner at larger x, y downwards."
        )
