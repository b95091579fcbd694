import pytest
import torch

from forensic.errors import ShapeError
from forensic.metrics.mprl import mprl


def test_equal_drawings_differ_by_nothing() -> None:
    drawings = torch.rand(3, 1, 20, 14)
    assert mprl(drawings, drawings).tolist() == [[0, 0, 0]] * 3


def test_a_constant_difference_is_the_same_at_every_scale() -> None:
    drawn = torch.rand(2, 1, 20, 14) / 2
    shift = torch.tensor([10.0, 25.5]).view(2, 1, 1, 1) / 255
    found = mprl(drawn + shift, drawn)
    assert found.shape == (2, 3)
    torch.testing.assert_close(found, torch.tensor([[10.0] * 3, [25.5] * 3]))


def test_equation_5_at_full_size() -> None:
    a, b = torch.rand(1, 1, 6, 5), torch.rand(1, 1, 6, 5)
    wanted = ((255 * (a - b)) ** 2).mean().sqrt()
    torch.testing.assert_close(mprl(a, b, scales=(1.0,)), wanted.view(1, 1))


def test_half_size_averages_noise_away() -> None:
    torch.manual_seed(0)
    half, full, double = mprl(torch.rand(1, 1, 64, 64), torch.rand(1, 1, 64, 64))[0].tolist()
    assert half < 0.8 * full
    assert double < full


def test_symmetric_and_refuses_other_shapes() -> None:
    a, b = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(mprl(a, b), mprl(b, a))
    with pytest.raises(ShapeError):
        mprl(a, b[:, :, :4])
    with pytest.raises(ShapeError):
        mprl(a[0], b[0])
