"""Boundaries of labelled regions where algebra puts them."""

import numpy as np
import pytest

from forensic.errors import DtypeError, RangeError, ShapeError
from forensic.sketches.boundary import WORK_PX, draw_on_paper, find_boundaries


def halves(left: int, right: int, side: int = 64) -> np.ndarray:
    labels = np.full((side, side), left, dtype=np.uint8)
    labels[:, side // 2 :] = right
    return labels


@pytest.mark.parametrize("side", [64, 512])
def test_boundary_is_one_line_between_two_regions(side: int) -> None:
    lines = find_boundaries(halves(0, 17, side))
    assert lines.shape == (WORK_PX, WORK_PX)
    inner = lines[4:-4]
    assert (inner.sum(axis=1) == 1).all()
    assert set(np.flatnonzero(inner.any(axis=0))) <= {255, 256}


def test_one_region_has_no_boundary() -> None:
    assert not find_boundaries(halves(3, 3)).any()


def test_a_step_by_one_label_counts_as_one_by_many() -> None:
    np.testing.assert_array_equal(find_boundaries(halves(1, 2)), find_boundaries(halves(1, 18)))


def test_paper_keeps_every_stroke() -> None:
    ink = np.zeros((8, 8), dtype=bool)
    ink[3, 5] = True
    paper = draw_on_paper(ink, 4)
    assert paper.shape == (4, 4, 1)
    assert paper.dtype == np.uint8
    assert np.argwhere(paper[:, :, 0] == 0).tolist() == [[1, 2]]
    assert (paper == 255).sum() == 15


def test_refused() -> None:
    with pytest.raises(ShapeError):
        find_boundaries(np.zeros((64, 64, 3), dtype=np.uint8))
    with pytest.raises(DtypeError):
        find_boundaries(np.zeros((64, 64)))  # type: ignore[arg-type]
    for size in ((64, 32), (100, 100)):
        with pytest.raises(RangeError, match="divides 512"):
            find_boundaries(np.zeros(size, dtype=np.uint8))
    with pytest.raises(RangeError):
        draw_on_paper(np.zeros((8, 8), dtype=bool), 3)
