"""A generator small enough for tests: random weights, fixed by a seed."""

from __future__ import annotations

import torch

from forensic.generators.csi import CSI
from forensic.generators.registry import LoadedGenerator


def small_generator(*, style: str = "line", in_channels: int = 1) -> LoadedGenerator:
    """Return an untrained CSI network of 1/8 of the paper's width as if it had been trained."""
    torch.manual_seed(0)
    network = CSI(in_channels=in_channels, width=4, n_blocks=1).eval()
    return LoadedGenerator("small", network, style, "a" * 64)
