"""The whole state of a training on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from forensic.errors import TrainingError
from forensic.files import atomic_write


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint atomically; the one before it survives a crash in between.

    Raises:
        OSError: The folder cannot be written.
    """
    with atomic_write(path) as file:
        torch.save(state, file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, tensors and plain values only, onto the CPU.

    Raises:
        TrainingError: The file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingError(
            f"Checkpoint {path} cannot be read ({error}). Remove it to start afresh."
        ) from error
    return state
