"""Which GPUs search, and whether the rows fit them: decided before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forensic.errors import DeviceError
from forensic.runtime import choose_device

if TYPE_CHECKING:
    import torch

ALL_GPUS = "cuda:all"
RESERVED_BYTES = 512 << 20
"""What a search needs on each GPU beside the rows: blocks, products, and FAISS's scratch memory."""

_BYTES_PER_NUMBER = 2  # float16


def choose_gpus(device: str) -> list[torch.device]:
    """Return the GPUs that `device` names: `cuda`, `cuda:N`, or `cuda:all` for every one.

    Raises:
        DeviceError: The name is malformed or no GPU's, or that GPU is not there.
    """
    import torch

    if device == ALL_GPUS:
        choose_device("cuda")
        return [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    chosen = choose_device(device)
    if chosen.type != "cuda":
        raise DeviceError(f"Device {device!r} is no GPU: use cuda, cuda:N or {ALL_GPUS}.")
    return [torch.device("cuda", chosen.index or 0)]


def check_fit(n_rows: int, dimension: int, free_bytes: Mapping[str, int]) -> None:
    """Refuse rows that do not fit the free memory of the devices among which they are divided.

    Args:
        n_rows: How many rows there are.
        dimension: How many numbers a row has.
        free_bytes: Name of each device to its free memory.

    Raises:
        DeviceError: They do not fit; the message tells what is needed and what is free.
    """
    share = -(-n_rows // len(free_bytes))
    needed = share * dimension * _BYTES_PER_NUMBER + RESERVED_BYTES
    short = {name: free for name, free in free_bytes.items() if free < needed}
    if short:
        told = ", ".join(f"{free / 2**30:.1f} GiB on {name}" for name, free in short.items())
        raise DeviceError(
            f"The index needs {needed / 2**30:.1f} GiB on each of {len(free_bytes)} GPUs "
            f"({share} rows of {dimension} in float16, and {RESERVED_BYTES / 2**30:.1f} GiB to "
            f"work in), but free are: {told}. Pass --device cpu, or {ALL_GPUS} where there are "
            "more GPUs."
        )


def free_memory(gpus: list[torch.device]) -> dict[str, int]:
    """Return the name of each GPU and how many bytes are free on it."""
    import torch

    return {str(gpu): int(torch.cuda.mem_get_info(gpu)[0]) for gpu in gpus}
