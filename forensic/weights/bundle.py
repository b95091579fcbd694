"""The file format of our own weights: safetensors with the constructor's arguments inside.

Kernels and matrices are stored in half precision, which halves the file; vectors (biases and
the statistics of normalisation, which may exceed the range of half precision) stay in single
precision. Adapters, small changes of weights that another file holds, are stored in eight bits, in
whole multiples of a step of each row. Everything is handed back in single precision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from forensic.errors import RangeError, WeightsError
from forensic.files import atomic_write

EIGHT_BITS = {"bits": "8"}
"""The fact that a bundle states, and by which it is stored, in eight bits."""

STEP = "::step"
"""Ends the name of the steps of a tensor in eight bits: (rows, 1, …), one for each row."""


def save_bundle(
    path: Path,
    state_dict: Mapping[str, Tensor],
    config: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a network's weights and the arguments that rebuild it, atomically.

    Args:
        path: The file to write.
        state_dict: The network's state.
        config: Keyword arguments of the network's constructor, JSON values only.
        metadata: Further facts as text, e.g. recipe, commit, images seen. With `EIGHT_BITS` among
            them kernels and matrices are stored in eight bits instead of half precision: each
            value comes back within a 254th of the largest of its row (the first dimension).

    Raises:
        RangeError: A weight is not finite or too large for half precision.
        TypeError: `config` holds something that JSON cannot.
        OSError: The folder cannot be written.
    """
    tensors = {name: _stored(name, tensor) for name, tensor in state_dict.items()}
    if EIGHT_BITS.items() <= (metadata or {}).items():
        kernels = {n: t for n, t in state_dict.items() if t.is_floating_point() and t.ndim > 1}
        for name, kernel in kernels.items():
            tensors[name], tensors[name + STEP] = _in_steps(kernel.detach().cpu().float())
    facts = {**(metadata or {}), "config": json.dumps(dict(config), sort_keys=True)}
    with atomic_write(path) as file:
        file.write(_with_sorted_facts(save(tensors, metadata=facts)))


def load_bundle(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the constructor's arguments and the state, floating tensors in single precision.

    Raises:
        WeightsError: The file is missing or not one that `save_bundle` wrote.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            config = json.loads((file.metadata() or {})["config"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        steps = {name: state.pop(name + STEP) for name in list(state) if name + STEP in state}
        state |= {name: state[name] * step for name, step in steps.items()}
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} is not a weights bundle of this project: {error}.") from error
    return config, {n: t.float() if t.is_floating_point() else t for n, t in state.items()}


def read_bundle_metadata(path: Path) -> dict[str, str]:
    """Return the facts stored beside the weights, without reading the weights.

    Raises:
        WeightsError: The file is missing or not safetensors.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is not a weights bundle of this project: {error}.") from error


def _with_sorted_facts(data: bytes) -> bytes:
    """Return a safetensors file whose facts stand in order, so that like weights are like files.

    The library writes them in an order that changes from call to call.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    size = -len(text) // 8 * -8  # tensors begin at multiples of eight bytes
    return size.to_bytes(8, "little") + text.ljust(size) + data[end:]


def _in_steps(kernel: Tensor) -> tuple[Tensor, Tensor]:
    """Return whole numbers of -127 to 127 and the (rows, 1, …) steps that they count."""
    greatest = kernel.abs().flatten(1).amax(1).clamp_min(torch.finfo(torch.float32).tiny * 127)
    steps = (greatest / 127).view(-1, *[1] * (kernel.ndim - 1))
    return (kernel / steps).round().to(torch.int8).contiguous(), steps.contiguous()


def _stored(name: str, tensor: Tensor) -> Tensor:
    """Return a tensor as it is stored."""
    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point():
        return tensor.clone()
    stored = tensor.to(torch.float16 if tensor.ndim > 1 else torch.float32)
    if not torch.isfinite(stored).all():
        raise RangeError(f"Weight {name!r} is not finite, or too large for half precision.")
    return stored.clone()
