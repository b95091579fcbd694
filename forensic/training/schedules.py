"""Learning rates by step."""

from __future__ import annotations

import math

from torch.optim import Optimizer


def warm_cosine(step: int, *, peak: float, warmup_steps: int, total_steps: int) -> float:
    """Return the learning rate of a step: a linear rise, then half a cosine down to zero.

    Args:
        step: Counted from 0.
        peak: Highest rate.
        warmup_steps: Steps of the rise.
        total_steps: Steps in all; the rate stays zero after them.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    share = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    return peak * 0.5 * (1 + math.cos(math.pi * share))


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Give every parameter of an optimizer the same learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def steps_done(optimizer: Optimizer) -> int:
    """Return how many updates an Adam-like optimizer has made, by its own count.

    Checkpoints keep the count, so that a schedule or a stage that reads it resumes exactly.
    """
    states = optimizer.state.values()
    return int(next((state["step"] for state in states if "step" in state), 0))
