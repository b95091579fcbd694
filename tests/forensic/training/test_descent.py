import copy

import pytest
import torch
from torch import nn

from forensic.training.descent import STEEPEST, Descent


def _descent(network: nn.Module, **changes: float) -> Descent:
    numbers = {"learning_rate": 0.1, "warmup_steps": 2, "total_steps": 4, "weight_decay": 0.0}
    return Descent(network, **{**numbers, **changes})  # type: ignore[arg-type]


def _rates(descent: Descent, network: nn.Linear, steps: int) -> list[float]:
    rates = []
    for _ in range(steps):
        descent.step(network.weight.sum())
        rates.append(descent.optimizer.param_groups[0]["lr"])
    return rates


def test_the_rate_rises_falls_and_goes_on_from_a_checkpoint() -> None:
    network = nn.Linear(2, 1)
    descent = _descent(network)
    assert _rates(descent, network, 3) == pytest.approx([0.05, 0.1, 0.1])
    other = copy.deepcopy(network)
    again = _descent(other)
    again.optimizer.load_state_dict(descent.optimizer.state_dict())
    assert _rates(again, other, 2) == pytest.approx([0.05, 0.0])


def test_only_kernels_and_matrices_decay() -> None:
    """Without a gradient AdamW multiplies a decaying weight by 1 - rate * decay."""
    network = nn.Linear(2, 1)
    before = copy.deepcopy(network)
    _descent(network, warmup_steps=1, weight_decay=0.5).step(0 * network(torch.ones(1, 2)).sum())
    torch.testing.assert_close(network.weight, before.weight * (1 - 0.1 * 0.5))
    torch.testing.assert_close(network.bias, before.bias)


def test_steep_gradients_are_cut() -> None:
    network = nn.Linear(1, 1, bias=False)
    _descent(network).step(1000 * network.weight.sum())
    assert network.weight.grad is not None
    assert network.weight.grad.norm() == pytest.approx(STEEPEST, rel=1e-4)
