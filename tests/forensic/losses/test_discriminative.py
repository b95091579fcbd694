import math

import pytest
import torch

from forensic.errors import ShapeError
from forensic.losses.discriminative import discriminative_regulariser, summed_squared_error


def drawings(*levels: float) -> torch.Tensor:
    """Return one flat drawing of 2×3 pixels for each gray level."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 1, 2, 3).contiguous()


def test_squares_are_summed_over_pixels_and_averaged_over_people() -> None:
    assert summed_squared_error(drawings(1, 0), drawings(3, 0)).item() == (6 * 4 + 0) / 2
    assert summed_squared_error(drawings(1, 5), drawings(1, 5)).item() == 0


def test_regulariser_by_hand() -> None:
    """Two people: drawn 0 and 10, made 1 and 20; only other people's drawings are compared."""
    made, drawn = drawings(1, 20), drawings(0, 10)
    first, second = 6 * 20.0**2, 6 * 9.0**2  # drawn 0 against made 20, drawn 10 against made 1
    wanted = (math.log1p(math.exp(-first / 500)) + math.log1p(math.exp(-second / 500))) / 2
    assert discriminative_regulariser(made, drawn, scale=500).item() == pytest.approx(wanted)


def test_limits() -> None:
    same = drawings(7, 7, 7)
    assert discriminative_regulariser(same, same).item() == pytest.approx(math.log(2))
    far = drawings(0, 1e6)
    assert discriminative_regulariser(far, far, scale=1.0).item() == 0
    assert discriminative_regulariser(drawings(3), drawings(9)).item() == 0


def test_gradient_pushes_a_drawing_away_from_other_people() -> None:
    made = drawings(4.0, 100.0).requires_grad_()
    discriminative_regulariser(made, drawings(0, 5), scale=100).backward()
    assert made.grad is not None
    assert (made.grad[0] > 0).all()  # made 4 lies below the other's 5: descending moves it down


def test_printed_constants_leave_the_regulariser_inert() -> None:
    """At the paper's weights its gradient is a tiny share of the generative one."""
    torch.manual_seed(0)
    made = (150 + 30 * torch.randn(4, 1, 188, 143)).requires_grad_()
    drawn = 150 + 30 * torch.randn(4, 1, 188, 143)
    (own,) = torch.autograd.grad(summed_squared_error(made, drawn), made)
    (other,) = torch.autograd.grad(1e4 * discriminative_regulariser(made, drawn), made)
    assert 1e-7 < (other.norm() / own.norm()).item() < 1e-4


def test_shapes() -> None:
    with pytest.raises(ShapeError):
        summed_squared_error(drawings(1), drawings(1, 2))
    with pytest.raises(ShapeError):
        discriminative_regulariser(drawings(1), drawings(1, 2))
