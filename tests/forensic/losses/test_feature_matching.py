"""Matching of a discriminator's activations."""

import pytest
import torch

from forensic.errors import ShapeError
from forensic.losses.feature_matching import feature_matching


def judgement(*values: float) -> list[list[torch.Tensor]]:
    """Two scales of two layers and logits, every layer one constant."""
    return [
        [
            torch.full((2, 3, side, side), float(value))
            for side, value in zip((8, 4, 2), values, strict=True)
        ]
        for _ in range(2)
    ]


def test_equal_images_have_no_distance() -> None:
    assert feature_matching(judgement(1, 2, 3), judgement(1, 2, 3)).item() == 0


def test_layers_are_summed_and_scales_averaged() -> None:
    ours, true = judgement(1, 2, 3), judgement(1.5, 0, 30)
    assert feature_matching(ours, true).item() == pytest.approx(0.5 + 2)
    assert feature_matching(ours, true, with_logits=True).item() == pytest.approx(0.5 + 2 + 27)


def test_gradient_reaches_the_made_image_alone() -> None:
    ours, true = judgement(1, 2, 3), judgement(0, 0, 0)
    for scale in (*ours, *true):
        for layer in scale:
            layer.requires_grad_()
    feature_matching(ours, true).backward()
    assert all(layer.grad is not None for layer in ours[0][:2])
    assert ours[0][2].grad is None
    assert all(layer.grad is None for scale in true for layer in scale)


def test_other_layers_are_refused() -> None:
    with pytest.raises(ShapeError):
        feature_matching(judgement(1, 2, 3), judgement(1, 2, 3)[:1])
    with pytest.raises(ShapeError):
        feature_matching([], [])
    smaller = [[a[..., :1] for a in scale] for scale in judgement(1, 2, 3)]
    with pytest.raises(ShapeError):
        feature_matching(judgement(1, 2, 3), smaller)
