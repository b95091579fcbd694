import json

import numpy as np
import pytest

from forensic.errors import ShapeError
from forensic.images.frame import Frame, centre_crop, create_frame, resize


def ramp(height: int, width: int, channels: int = 1) -> np.ndarray:
    grid = np.arange(height * width, dtype=np.uint8).reshape(height, width, 1)
    return np.repeat(grid, channels, axis=2)


def test_the_papers_crop() -> None:
    picture = np.zeros((250, 200, 3), np.uint8)
    picture[25:225, 22:177] = 9
    cropped = Frame((200, 155)).apply(picture)
    assert cropped.shape == (200, 155, 3)
    assert cropped.min() == 9


def test_crop_comes_before_size() -> None:
    picture = np.zeros((40, 40, 1), np.uint8)
    picture[10:30, 10:30] = 200
    assert (Frame((20, 20), (8, 16)).apply(picture) == 200).all()
    assert Frame((20, 20), (8, 16)).apply(picture).shape == (8, 16, 1)


def test_nothing_asked_nothing_done() -> None:
    picture = ramp(8, 9, 3)
    assert Frame().apply(picture) is picture
    assert np.array_equal(resize(picture, (8, 9)), picture)


def test_resize_keeps_the_mean_and_the_channels_apart() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    picture[:, :, 1] = 77
    small = resize(picture, (16, 12))
    assert abs(small.mean() - picture.mean()) < 2
    assert (small[:, :, 1] == 77).all()


def test_json_and_back() -> None:
    frame = Frame((200, 155), (64, 64))
    assert create_frame(**json.loads(frame.to_json())) == frame
    assert create_frame(**json.loads(Frame().to_json())) == Frame()


def test_refused() -> None:
    with pytest.raises(ShapeError, match="no centre of 9×4"):
        centre_crop(ramp(8, 8), (4, 9))
    for bad in ([8], [8, 0], [8, -1], [1.5, 2]):
        with pytest.raises(ShapeError):
            create_frame(size_hw=bad)  # type: ignore[arg-type]


def test_points_move_with_the_pixels() -> None:
    """A bright pixel lies where its point is said to lie, after crop and enlargement."""
    picture = np.zeros((20, 30, 1), np.uint8)
    picture[7, 12] = 255
    point = np.array([[12, 7]], np.float32)
    cropped = Frame((11, 17))
    x, y = cropped.move(point, (20, 30))[0]
    assert cropped.apply(picture)[int(y), int(x), 0] == 255
    x, y = Frame((11, 17), (33, 51)).move(point, (20, 30))[0]
    large = Frame((11, 17), (33, 51)).apply(picture)[:, :, 0].astype(float)
    rows, columns = np.indices(large.shape)
    assert x == pytest.approx((large * columns).sum() / large.sum(), abs=0.05)
    assert y == pytest.approx((large * rows).sum() / large.sum(), abs=0.05)
    assert np.array_equal(Frame().move(point, (20, 30)), point)
