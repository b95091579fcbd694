"""An exponential moving average of networks."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class MovingAverage:
    """Keeps slow copies of networks, weights and normalisation statistics alike.

    Early steps use a smaller decay, (1 + n) / (10 + n), so that the random start is forgotten.

    Args:
        networks: The networks that are trained.
        decay: Share of the old average that stays at each step; 0 makes plain copies.
    """

    def __init__(self, networks: dict[str, nn.Module], *, decay: float) -> None:
        self.decay = decay
        self.networks = {name: copy.deepcopy(net).eval() for name, net in networks.items()}
        for network in self.networks.values():
            network.requires_grad_(False)

    @torch.no_grad()
    def update(self, networks: dict[str, nn.Module], step: int) -> None:
        """Move the averages towards the networks after step number `step`, counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, average in self.networks.items():
            _blend(average.state_dict(), networks[name].state_dict(), decay)


def _blend(slow: dict[str, Tensor], fast: dict[str, Tensor], decay: float) -> None:
    floats = [key for key, value in slow.items() if value.dtype.is_floating_point]
    torch._foreach_lerp_([slow[k] for k in floats], [fast[k] for k in floats], 1 - decay)
    for key in slow.keys() - set(floats):
        slow[key].copy_(fast[key])
