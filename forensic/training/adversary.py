"""The opponent of a generator: a discriminator with its loss and its optimizer.

A task with an adversary does one update of each player on every batch:

    made = generator(batch["sketch"])
    against = adversary.learn(real=batch["photo"], made=made)
    judgement = adversary.judge(made)
    loss = pixel + adversary.fool(judgement)     # and feature_matching(judgement, ...)
    optimizer.zero_grad(set_to_none=True); loss.backward(); optimizer.step()

and names the discriminator in `networks()` and its optimizer in `optimizers()`; then the loop
resumes it exactly. A discriminator keeps no other state: spectral normalisation's vectors are
part of the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from forensic.discriminators.patch import Judgement
from forensic.losses.adversarial import AdversarialLoss, Kind


class Adversary:
    """Teaches a discriminator and asks it, without ever letting a generator's loss change it.

    Args:
        discriminator: Takes images to a `Judgement`; on its device already.
        kind: The game, see `AdversarialLoss`.
        learning_rate: Of Adam.
        betas: Of Adam.
        autocast: Context in which the discriminator computes.

    Raises:
        UnknownNameError: No such game.
    """

    def __init__(
        self,
        discriminator: nn.Module,
        *,
        kind: Kind,
        learning_rate: float,
        betas: tuple[float, float] = (0.5, 0.999),
        autocast: torch.autocast,
    ) -> None:
        self.discriminator, self.loss = discriminator, AdversarialLoss(kind)
        self.autocast = autocast
        self.optimizer = torch.optim.Adam(discriminator.parameters(), lr=learning_rate, betas=betas)

    def learn(self, *, real: Tensor, made: Tensor) -> Tensor:
        """Do one update that tells `real` from `made` and return its loss; no other network moves.

        Args:
            real: True images (B, C, H, W), their condition included as further channels.
            made: Machine-made images of the same shape; detached here.
        """
        self.discriminator.train()
        with self.autocast:
            sides = self.discriminator(real), self.discriminator(made.detach())
        losses = [self.loss.discriminator(r[-1], m[-1]) for r, m in zip(*sides, strict=True)]
        loss = torch.stack(losses).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def judge(self, images: Tensor) -> Judgement:
        """Return what the discriminator sees; gradients reach the images and not its weights."""
        with self._frozen(), self.autocast:
            judgement: Judgement = self.discriminator(images)
        return judgement

    def fool(self, judgement: Judgement) -> Tensor:
        """Return the generator's adversarial loss, averaged over scales."""
        return torch.stack([self.loss.generator(scale[-1]) for scale in judgement]).mean()

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        self.discriminator.requires_grad_(False)
        try:
            yield
        finally:
            self.discriminator.requires_grad_(True)
