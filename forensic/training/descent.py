"""One optimizer with its schedule: how the embedders here are trained."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from forensic.training.schedules import set_learning_rate, steps_done, warm_cosine

STEEPEST = 5.0
"""Length to which a gradient is cut."""


class Descent:
    """AdamW whose rate rises, then falls along a cosine; gradients are cut at `STEEPEST`.

    The optimizer's own count says how far the schedule is, so a training that goes on from a
    checkpoint goes on with the rate it had.

    Args:
        network: What is trained.
        learning_rate: The highest rate.
        warmup_steps: Steps of the rise.
        total_steps: Steps in all; the rate stays zero after them.
        weight_decay: For kernels and matrices; biases and norms have none.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        learning_rate: float,
        warmup_steps: int,
        total_steps: int,
        weight_decay: float,
    ) -> None:
        self._parameters = list(network.parameters())
        self._rate = partial(
            warm_cosine, peak=learning_rate, warmup_steps=warmup_steps, total_steps=total_steps
        )
        groups = [
            {
                "params": [p for p in self._parameters if p.ndim > 1],
                "weight_decay": weight_decay,
            },
            {"params": [p for p in self._parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate)

    def step(self, loss: Tensor) -> None:
        """Change the network once, against the gradient of a loss."""
        set_learning_rate(self.optimizer, self._rate(steps_done(self.optimizer)))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, STEEPEST)
        self.optimizer.step()
