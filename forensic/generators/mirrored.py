"""A generator that looks at a sketch twice, as it is and mirrored."""

from __future__ import annotations

from torch import Tensor, nn

MIRRORED = "mirrored"
"""Says so in the metadata of weights."""


class Mirrored(nn.Module):
    """The mean of what a network makes of a picture and of its mirror image, turned back.

    A face is nearly symmetrical and a trained network is not quite: its two errors differ, and
    their mean is smaller. It takes twice the time.

    Args:
        network: Takes (B, C, H, W) to pictures.

    Source:
        None of its own; as Krizhevsky, Sutskever, Hinton, NIPS 2012, section 4.1, average over
        reflections.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the mean of both looks at (B, C, H, W)."""
        seen: Tensor = self.network(pictures) + self.network(pictures.flip(3)).flip(3)
        return seen / 2
