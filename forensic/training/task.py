"""What the training loop asks of a system that wants to be trained."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

Batch = dict[str, Tensor]


class TrainingTask(Protocol):
    """Networks, losses and optimizers of one system.

    Attributes:
        score: Name of the validation figure that chooses the best checkpoint.
        higher_is_better: Direction of that figure.
        metadata: What a user of the weights must know of the task, stored beside them: for a
            generator its `direction`, see `forensic.generators.registry`.
    """

    score: str
    higher_is_better: bool
    metadata: dict[str, str]

    def networks(self) -> dict[str, nn.Module]:
        """Return every trained network by name; the loop moves, saves and averages them."""

    def optimizers(self) -> dict[str, Optimizer]:
        """Return every optimizer by name; the loop saves them."""

    def step(self, batch: Batch) -> dict[str, float]:
        """Do one update and return its losses by name; `loss` is required.

        A loss that is not finite must be returned, not hidden: the loop stops on it. Whatever
        depends on how far a training has come is read from an optimizer's own count (see
        `steps_done`), which checkpoints keep; a task has no other memory.
        """

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return per-sample figures (B,) of given networks on a batch, `score` among them."""

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return what to publish: weights name to constructor arguments and network."""
