"""Whole-number products of many rows with many probes, exact, on all cores.

oneDNN multiplies unsigned by signed bytes with 32-bit sums (VNNI); torch reaches it through its
quantized linear layer. Older instructions saturate at 16 bits, and some newer ones round the sum to
float32 before they take the zero point off it, which is exact up to 518 dimensions only. So the
first use multiplies the largest numbers there are and compares; where that fails, float32 does the
same more slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

Product = Callable[[torch.Tensor], torch.Tensor]
"""(R, D) uint8 bytes of rows to their (R, Q) float32 whole-number products with the probes."""


def product_with(levels: NDArray[np.int8]) -> Product:
    """Return the function that multiplies bytes of rows with (Q, D) int8 probes."""
    if _bytes_multiply_exactly(levels.shape[1]):
        return _byte_product(torch.from_numpy(levels))
    return _float_product(torch.from_numpy(levels))


@contextmanager
def worker_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Yield `count` threads in which torch uses one core each.

    A block is too small to be shared by cores. torch keeps a thread's setting also as that of
    threads yet to be born, hence the caller's own is set anew at the end.
    """
    before = torch.get_num_threads()
    with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            yield pool
        finally:
            torch.set_num_threads(before)


def _byte_product(levels: torch.Tensor) -> Product:
    packed = torch.ops.onednn.qlinear_prepack(levels, None)
    ones = torch.ones(len(levels))
    zeros = torch.zeros(len(levels), dtype=torch.int64)

    def product(rows: torch.Tensor) -> torch.Tensor:
        result = torch.ops.onednn.qlinear_pointwise(
            rows, 1.0, 128, packed, ones, zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        return cast("torch.Tensor", result)

    return product


def _float_product(levels: torch.Tensor) -> Product:
    transposed = levels.float().T

    def product(rows: torch.Tensor) -> torch.Tensor:
        return (rows.float() - 128) @ transposed

    return product


@lru_cache(maxsize=16)
def _bytes_multiply_exactly(dimension: int) -> bool:
    """Tell whether the largest and some mixed products come out exact on this processor."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 256, (64, dimension), generator=generator, dtype=torch.uint8)
    levels = torch.randint(-127, 128, (8, dimension), generator=generator, dtype=torch.int8)
    rows[0], rows[1], rows[2], levels[0], levels[1] = 255, 1, 255, 127, -127
    rows[2, 0] = 254  # one of this sum and that of row 0 is odd, which a float32 may not hold
    wanted = (rows.long() - 128) @ levels.long().T
    try:
        found = _byte_product(levels)(rows)
    except (AttributeError, RuntimeError):  # this build of torch has no such operator
        return False
    return bool(((found.double() - wanted).abs() <= wanted.abs() * 2.0**-23).all())
