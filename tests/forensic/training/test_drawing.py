import numpy as np
import pytest
import torch

from forensic.sketches.line import LineStyle
from forensic.training import drawing
from tests.support.packed import random_photo

OPERATORS = [drawing.dodge, drawing.difference_of_gaussians, drawing.edges, drawing.shaded]


def grays(n: int = 2) -> torch.Tensor:
    photos = np.stack([random_photo(seed, 32) for seed in range(n)])
    return drawing.to_gray(torch.from_numpy(photos).permute(0, 3, 1, 2) / 255)


def test_blur_equals_convolution_inside() -> None:
    image = torch.zeros(1, 1, 21, 31)
    image[0, 0, 10, 15] = 1.0
    blurred = drawing.blur(image, 1.5)
    places = torch.arange(-4, 5.0)
    taps = torch.exp(-(places**2) / (2 * 1.5**2))
    taps /= taps.sum()
    torch.testing.assert_close(blurred[0, 0, 6:15, 11:20], torch.outer(taps, taps))
    assert blurred.sum() == pytest.approx(1, abs=1e-5)


def test_blur_keeps_flat_images_to_the_border() -> None:
    flat = torch.full((2, 3, 16, 20), 0.3)
    torch.testing.assert_close(drawing.blur(flat, 4.0), flat)


def test_dodge_agrees_with_the_line_style() -> None:
    photo = random_photo(3, 64)
    expected = LineStyle()(photo)[:, :, 0].astype(float)
    gray = drawing.to_gray(torch.from_numpy(photo)[None].permute(0, 3, 1, 2) / 255)
    drawn = drawing.dodge(gray, sigma=3.5, darkness=1.0)[0, 0].numpy() * 255
    assert np.abs(drawn - expected)[12:-12, 12:-12].mean() < 2.5


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_stay_in_range_and_leave_flat_areas_flat(operator) -> None:
    torch.manual_seed(0)
    drawn = operator(grays())
    assert drawn.shape == (2, 1, 32, 32)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert operator(torch.full((1, 1, 16, 16), 0.6)).std() < 1e-6


def test_edges_darken_a_step() -> None:
    torch.manual_seed(0)
    step = torch.zeros(1, 1, 16, 16)
    step[..., 8:] = 1.0
    drawn = drawing.edges(step)
    assert drawn[..., 7:9].mean() < 0.5
    assert drawn[..., :3].min() > 0.99
    assert drawn[..., 13:].min() > 0.99


def test_draw_is_gray_and_fixed_by_the_seed() -> None:
    photos = torch.rand(5, 3, 24, 24)
    torch.manual_seed(4)
    first = drawing.draw(photos)
    torch.manual_seed(4)
    torch.testing.assert_close(drawing.draw(photos), first, rtol=0, atol=0)
    assert first.shape == photos.shape
    torch.testing.assert_close(first[:, 0], first[:, 2])
