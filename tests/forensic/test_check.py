import numpy as np
import pytest
import torch

from forensic.check import (
    check_landmarks,
    check_range,
    check_rgb,
    check_same_shape,
    check_shape,
)
from forensic.errors import DtypeError, InputError, LandmarksError, RangeError, ShapeError

UPRIGHT = np.array([[30, 40], [60, 40], [45, 55], [34, 70], [56, 70]], dtype=np.float32)


def test_shape_names_what_was_found_and_expected() -> None:
    with pytest.raises(
        ShapeError, match=r"probe has shape \(2, 3\), expected \(any, 4\)"
    ) as caught:
        check_shape(np.zeros((2, 3)), (None, 4), name="probe")
    assert caught.value.actual_shape == (2, 3)
    assert caught.value.expected_shape == "(any, 4)"


@pytest.mark.parametrize("shape", [(2,), (2, 4, 1), ()])
def test_shape_refuses_another_number_of_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        check_shape(np.zeros(shape), (None, 4))


def test_shape_takes_tensors_and_any_size() -> None:
    check_shape(torch.zeros(7, 4), (None, 4))
    with pytest.raises(ShapeError):
        check_shape(torch.zeros(7, 5), (None, 4))


def test_same_shape_does_not_broadcast() -> None:
    check_same_shape(np.zeros((1, 3)), torch.zeros(1, 3))
    with pytest.raises(ShapeError, match="must be equal"):
        check_same_shape(np.zeros((1, 3)), np.zeros((2, 3)))


def test_rgb() -> None:
    check_rgb(np.zeros((5, 4, 3), dtype=np.uint8))
    with pytest.raises(ShapeError):
        check_rgb(np.zeros((5, 4), dtype=np.uint8))
    with pytest.raises(DtypeError, match="float32"):
        check_rgb(np.zeros((5, 4, 3), dtype=np.float32))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_range_refuses(value: float) -> None:
    with pytest.raises(RangeError, match="share"):
        check_range(value, 0, 1, name="share")


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_range_includes_its_ends(value: float) -> None:
    assert check_range(value, 0, 1, name="share") is None  # type: ignore[func-returns-value]


def test_landmarks_of_an_upright_face_pass() -> None:
    assert check_landmarks(UPRIGHT) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "points",
    [
        UPRIGHT[:4],
        UPRIGHT * [1, -1],  # upside down
        UPRIGHT[[1, 0, 2, 3, 4]],  # eyes exchanged
        UPRIGHT * 0,
        np.where(np.arange(10).reshape(5, 2) == 5, np.nan, UPRIGHT),
        np.where(np.arange(10).reshape(5, 2) == 4, np.inf, UPRIGHT),
    ],
)
def test_landmarks_that_no_upright_face_has(points: np.ndarray) -> None:
    with pytest.raises(LandmarksError):
        check_landmarks(points)


def test_ordinary_callers_catch_input_errors_as_value_errors() -> None:
    assert issubclass(InputError, ValueError)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        check_range(2, 0, 1, name="x")
