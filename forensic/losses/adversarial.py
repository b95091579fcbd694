"""The losses of the two players of a generative adversarial training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from forensic.errors import UnknownNameError

Kind = Literal["vanilla", "lsgan", "hinge"]

_REAL: dict[str, Callable[[Tensor], Tensor]] = {
    "vanilla": lambda logits: F.softplus(-logits),
    "lsgan": lambda logits: (logits - 1).square(),
    "hinge": lambda logits: F.relu(1 - logits),
}
_FAKE: dict[str, Callable[[Tensor], Tensor]] = {
    "vanilla": F.softplus,
    "lsgan": Tensor.square,
    "hinge": lambda logits: F.relu(1 + logits),
}
_FOOL: dict[str, Callable[[Tensor], Tensor]] = {
    "vanilla": lambda logits: F.softplus(-logits),
    "lsgan": lambda logits: (logits - 1).square() / 2,
    "hinge": Tensor.neg,
}


@dataclass(frozen=True)
class AdversarialLoss:
    """Both sides of one game on logits of any shape; every loss is a mean over the logits.

    `vanilla` is the logarithmic loss with the non-saturating generator, `lsgan` least squares with
    labels 0 and 1, `hinge` the hinge loss. The discriminator's loss is half the sum of its two
    terms in every kind.

    Attributes:
        kind: `vanilla`, `lsgan` or `hinge`.

    Raises:
        UnknownNameError: No such kind.

    Source:
        Goodfellow et al. 2014; Mao et al., Least Squares GANs, ICCV 2017, equation 9 (with its
        half in the generator's loss too); Lim and Ye, Geometric GAN, 2017.
    """

    kind: Kind

    def __post_init__(self) -> None:
        if self.kind not in _REAL:
            raise UnknownNameError("adversarial loss", self.kind, _REAL, ())

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return how badly logits tell `real` images from `fake` ones, a scalar."""
        return (_REAL[self.kind](real.float()).mean() + _FAKE[self.kind](fake.float()).mean()) / 2

    def generator(self, fake: Tensor) -> Tensor:
        """Return how badly `fake` images pass for real ones, a scalar."""
        return _FOOL[self.kind](fake.float()).mean()
