"""The extended difference of Gaussians, by its formula."""

import numpy as np
import pytest

from forensic.errors import DtypeError, ShapeError
from forensic.sketches.xdog import XDoGStyle
from tests.support.images import face_photo


@pytest.mark.parametrize("level", [0, 40, 86, 87, 200, 255])
def test_flat_pictures_follow_equation_7(level: int) -> None:
    """The difference of two blurs of a flat picture vanishes: only its level counts."""
    style = XDoGStyle(threshold=0.34, steepness=6.0)
    sketch = style(np.full((32, 32, 3), level, dtype=np.uint8))
    u = level / 255
    wanted = 255 if u >= 0.34 else 255 * (1 + np.tanh(6.0 * (u - 0.34)))
    assert np.unique(sketch).tolist() == [round(wanted)]


def test_the_dark_side_of_an_edge_is_inked() -> None:
    picture = np.full((64, 64, 3), 150, dtype=np.uint8)
    picture[:, 32:] = 220
    row = XDoGStyle(sigma=4.0)(picture)[32, :, 0]
    assert row[28:32].min() < 60
    assert (row[:10] == 255).all()
    assert (row[32:] == 255).all()


def test_lines_grow_with_the_picture() -> None:
    def ink(side: int) -> float:
        picture = np.full((side, side, 3), 150, dtype=np.uint8)
        picture[:, side // 2 :] = 220
        return float((XDoGStyle(sigma=4.0)(picture) < 128).mean())

    assert ink(256) == pytest.approx(ink(128), rel=0.25)


def test_sketch_of_a_face() -> None:
    sketch = XDoGStyle()(face_photo(3))
    assert sketch.shape == (*face_photo(3).shape[:2], 1)
    assert sketch.min() < 30
    assert np.mean(sketch == 255) > 0.2


def test_refused() -> None:
    with pytest.raises(ShapeError):
        XDoGStyle()(np.zeros((32, 32), dtype=np.uint8))
    with pytest.raises(DtypeError):
        XDoGStyle()(np.zeros((32, 32, 3)))  # type: ignore[arg-type]
