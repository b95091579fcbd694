"""Millions of identifiers in two flat arrays, so that they can be memory-mapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from forensic.errors import InputError


class Names(Sequence[str]):
    """An immutable list of strings, kept as UTF-8 bytes and the places where each one ends.

    Attributes:
        text: (bytes,) uint8, all names one after another.
        ends: (n,) int64, the end of each name in `text`.

    Raises:
        InputError: The ends do not partition the text.

    Example:
        >>> list(Names.of(["a/1.png", "ä/2.png"]))
        ['a/1.png', 'ä/2.png']
    """

    def __init__(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        last = int(ends[-1]) if len(ends) else 0
        if last != len(text) or (len(ends) and (np.diff(ends, prepend=0) < 0).any()):
            raise InputError("The ends of the names do not fit their text.")
        self.text, self.ends = text, ends

    @classmethod
    def of(cls, names: Iterable[str]) -> Names:
        """Return the list of `names`."""
        encoded = [name.encode() for name in names]
        ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), ends)

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        start = int(self.ends[index - 1]) if index else 0
        return self.text[start : int(self.ends[index])].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        whole, start = self.text.tobytes(), 0
        for end in self.ends.tolist():
            yield whole[start:end].decode()
            start = end
