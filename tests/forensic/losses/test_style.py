"""Gram matrices and their distance."""

import pytest
import torch

from forensic.errors import ShapeError
from forensic.losses.style import gram_matrix, style_loss

FEATURES = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))


def test_gram_matrix_of_constant_channels() -> None:
    """Channels a and b, flat: entry ab is a·b over the number of channels."""
    features = torch.tensor([2.0, 3.0]).view(1, 2, 1, 1).expand(1, 2, 4, 6)
    wanted = torch.tensor([[[4.0, 6.0], [6.0, 9.0]]]) / 2
    torch.testing.assert_close(gram_matrix(features), wanted)


def test_texture_does_not_depend_on_where_things_are() -> None:
    order = torch.randperm(35, generator=torch.Generator().manual_seed(1))
    moved = FEATURES.flatten(2)[:, :, order].view_as(FEATURES)
    assert style_loss([moved], [FEATURES]).item() == pytest.approx(0, abs=1e-7)
    assert style_loss([FEATURES * 2], [FEATURES]) > 0.01


def test_layers_are_averaged() -> None:
    one = style_loss([FEATURES * 2], [FEATURES])
    assert style_loss([FEATURES * 2, FEATURES], [FEATURES, FEATURES]).item() == pytest.approx(
        one.item() / 2
    )


def test_gradient_reaches_the_prediction_alone() -> None:
    ours, true = FEATURES.clone().requires_grad_(), (FEATURES / 2).requires_grad_()
    style_loss([ours], [true]).backward()
    assert ours.grad is not None
    assert ours.grad.abs().max() > 0
    assert true.grad is None


def test_refused() -> None:
    with pytest.raises(ShapeError):
        gram_matrix(FEATURES[0])
    with pytest.raises(ShapeError):
        style_loss([FEATURES], [FEATURES[:1]])
    with pytest.raises(ValueError, match="argument"):
        style_loss([FEATURES], [])
