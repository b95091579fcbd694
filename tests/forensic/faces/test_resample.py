"""The same pixels as torch and torchvision give, which work another way."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from torchvision.ops import roi_align

from forensic.faces import resample
from forensic.faces.resample import Resampler

WITHIN = 2e-6  # rounding of sums of some ten numbers in -2..2


def images(n: int = 3, height: int = 41, width: int = 67) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(n, 3, height, width).contiguous(memory_format=torch.channels_last)


def boxes(n: int) -> torch.Tensor:
    """Return squares of 2 to 90 pixels, some of them partly or wholly beyond the border."""
    generator = torch.Generator().manual_seed(1)
    center = torch.rand(n, 2, generator=generator) * 120 - 20
    half = torch.rand(n, 1, generator=generator) * 44 + 1
    return torch.cat([center - half, center + half], 1)


@pytest.mark.parametrize("size_hw", [(41, 67), (40, 66), (29, 48), (13, 12), (1, 1)])
def test_shrinking_is_the_mean_of_what_each_pixel_covers(size_hw: tuple[int, int]) -> None:
    pixels = images()
    expected = F.interpolate(pixels, size_hw, mode="area")
    torch.testing.assert_close(Resampler(pixels).shrunk(size_hw), expected, rtol=0, atol=WITHIN)


@pytest.mark.parametrize("size", [1, 24, 48])
def test_crops_are_those_of_roi_align(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, squares = images(), boxes(60)
    index = torch.arange(60) % 3
    rois = torch.cat([index[:, None].float(), squares], 1)
    expected = roi_align(pixels, rois, size, aligned=True)
    crops = Resampler(pixels).crops(squares, index, size)
    torch.testing.assert_close(crops, expected, rtol=0, atol=WITHIN)
    assert crops.is_contiguous(memory_format=torch.channels_last)
    monkeypatch.setattr(resample, "MOST_FLOATS", 1)  # one box at a time
    torch.testing.assert_close(Resampler(pixels).crops(squares, index, size), crops)


def test_values_known_by_hand() -> None:
    ramp = torch.arange(8.0).expand(1, 3, 8, 8)
    resampler = Resampler(ramp)
    assert resampler.shrunk((1, 2))[0, 0].tolist() == [[1.5, 5.5]]
    whole = resampler.crops(torch.tensor([[2.0, 2, 4, 4]]), torch.tensor([0]), 2)
    assert whole[0, 0].tolist() == [[2, 3], [2, 3]]


def test_a_box_without_area_is_black() -> None:
    crops = Resampler(images()).crops(torch.zeros(1, 4), torch.tensor([2]), 24)
    assert crops.shape == (1, 3, 24, 24)
    assert not crops.any()
