"""The photocopy, by its limits."""

import numpy as np
import pytest

from forensic.errors import DtypeError, ShapeError
from forensic.sketches.photocopy import GRAIN, PhotocopyStyle
from tests.support.images import face_photo


@pytest.mark.parametrize("level", [0, 100, 255])
def test_flat_pictures_leave_the_paper_white(level: int) -> None:
    assert (PhotocopyStyle()(np.full((32, 32, 3), level, dtype=np.uint8)) == 255).all()


def test_toner_is_linear_in_the_ratio_to_the_surroundings() -> None:
    """A thin bar in surroundings so wide that their mean is known."""
    style = PhotocopyStyle(detail_px=0.0, around_px=400.0, white=0.9, black=0.4)
    picture = np.full((256, 256, 3), 200, dtype=np.uint8)
    picture[128] = 100
    sketch = style(picture)
    around = 200 + GRAIN - 100 / 256
    ratio = (100 + GRAIN) / around
    assert sketch[128, 128, 0] == pytest.approx(255 * (ratio - 0.4) / 0.5, abs=2)
    assert (sketch[0] == 255).all()


def test_noise_in_a_black_background_takes_no_toner() -> None:
    noise = np.random.default_rng(0).integers(0, 3, (64, 64, 1), dtype=np.uint8)
    assert PhotocopyStyle()(np.repeat(noise, 3, axis=2)).min() > 200


def test_darker_takes_more_toner() -> None:
    picture = np.full((64, 64, 3), 220, dtype=np.uint8)
    picture[20:22], picture[40:42] = 150, 20
    sketch = PhotocopyStyle()(picture)[:, 32, 0]
    assert sketch[41] < sketch[21] < sketch[5] == 255


def test_sketch_of_a_face() -> None:
    sketch = PhotocopyStyle()(face_photo(3))
    assert sketch.shape == (*face_photo(3).shape[:2], 1)
    assert sketch.min() < 60
    assert np.mean(sketch == 255) > 0.3


def test_refused() -> None:
    with pytest.raises(ShapeError):
        PhotocopyStyle()(np.zeros((32, 32), dtype=np.uint8))
    with pytest.raises(DtypeError):
        PhotocopyStyle()(np.zeros((32, 32, 3)))  # type: ignore[arg-type]
