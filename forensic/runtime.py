"""Device choice, seeding, threads, and the provenance record of a run.

torch is imported inside the functions that need it, so that `forensic --help`, the web process
and the statistics never load it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import random
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import forensic
from forensic.errors import DeviceError, UnknownNameError

if TYPE_CHECKING:
    import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Options of glibc's `mallopt`."""

PRECISIONS = ("fp32", "bf16")
LIBRARIES = (
    "torch",
    "torchvision",
    "facenet-pytorch",
    "faiss-cpu",
    "faiss-gpu",
    "numpy",
    "scipy",
    "pillow",
    "onnxruntime",
)


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`: `auto`, `cpu`, `cuda` or `cuda:N`.

    `auto` takes CUDA where torch sees it. A device that is named but absent is an error,
    never a silent fallback.

    Raises:
        DeviceError: The name is malformed, or that device is not there.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"Unknown device {name!r}: use auto, cpu, cuda or cuda:N.") from error
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(f"Device {name!r} is not supported: use auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            f"Device {name!r} was asked for, but torch {torch.__version__} sees no CUDA device. "
            "Check the driver with nvidia-smi, or pass --device cpu."
        )
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise DeviceError(f"Device {name!r} was asked for, but there are {count} CUDA devices.")
    return device


def choose_precision(name: str, device: torch.device) -> torch.autocast:
    """Return the context in which networks compute: `fp32`, or `bf16` for mixed precision.

    Raises:
        UnknownNameError: Another name; nothing is computed in a precision not asked for.
    """
    import torch

    if name not in PRECISIONS:
        raise UnknownNameError("precision", name, PRECISIONS, ())
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=name == "bf16")


def let_waiting_threads_sleep() -> None:
    """Have the threads that compute together sleep while one waits for another.

    They spin otherwise, and where other processes use the same cores, as the web does beside the
    worker, spinning took twenty times as long as computing. Acts on libraries loaded afterwards:
    call it first. A user's own OMP_WAIT_POLICY stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def keep_freed_memory() -> None:
    """Have this process keep freed memory for its next array instead of giving it back.

    glibc gives back each array of more than some 100 kB, and the system clears every page of the
    next one: a tenth of the time of a process that finds faces, whose arrays come and go with each
    batch. Arrays above 64 MiB, and what is unused beyond 256 MiB, are still given back. Other C
    libraries have no such setting and stay as they are.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, 64 * 2**20)
        set_option(_M_TRIM_THRESHOLD, 256 * 2**20)


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def provenance(command: list[str] | None = None) -> dict[str, Any]:
    """Return who computed a result: versions, commit, machine and command, ready for JSON.

    Commit is None outside a git checkout; the command is the only part that may hold paths.
    """
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return {
        "forensic": forensic.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "libraries": versions,
        "command": command or [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _commit() -> str | None:
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
