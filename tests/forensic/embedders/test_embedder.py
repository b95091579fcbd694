import numpy as np
import pytest

from forensic.embedders.embedder import check_faces, unit_rows
from forensic.errors import DtypeError, RangeError, ShapeError, UnknownNameError


def test_rows_get_unit_length_and_keep_their_direction() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, -1e-20]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, -1.0]])
    assert rows.dtype == np.float32


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_a_row_without_direction_is_refused(bad: float) -> None:
    with pytest.raises(RangeError):
        unit_rows(np.array([[1.0, 0.0], [bad, 0.0]]))


def test_no_rows_are_fine() -> None:
    assert unit_rows(np.zeros((0, 4))).shape == (0, 4)


def test_faces_of_another_geometry_are_refused() -> None:
    check_faces(np.zeros((2, 112, 96, 3), np.uint8), "arcface-112x96")
    with pytest.raises(ShapeError):
        check_faces(np.zeros((2, 112, 96, 3), np.uint8), "arcface-112")
    with pytest.raises(DtypeError):
        check_faces(np.zeros((1, 112, 112, 3), np.float32), "arcface-112")
    with pytest.raises(UnknownNameError):
        check_faces(np.zeros((1, 112, 112, 3), np.uint8), "arcface-113")
