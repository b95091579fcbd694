"""Reading foreign weights: plain tensors by name and nothing that could run."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from forensic.errors import MissingWeights, WeightsError


def read_tensors(path: Path, *, remedy: str) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors or PyTorch file by name.

    A checkpoint that keeps them under `state_dict`, beside other facts, is opened.

    Args:
        path: The file.
        remedy: What to do when it is not there, one sentence.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It cannot be read as weights.
    """
    if not path.is_file():
        raise MissingWeights(f"Weights {path} were not found. {remedy}")
    try:
        if path.suffix == ".safetensors":
            loaded: dict[str, Tensor] = load_file(path)
            return loaded
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("state_dict", state)
        return {name: value for name, value in state.items() if isinstance(value, Tensor)}
    except Exception as error:  # torch.load raises nearly anything on a damaged file
        raise WeightsError(f"{path} cannot be read as weights: {error}") from error
