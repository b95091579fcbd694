"""Where a network's weights lie."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


def to_channels_last(network: N, device: torch.device) -> N:
    """Move a network to a device with its kernels channels-last, the faster layout for bf16."""
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
