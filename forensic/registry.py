"""A checked mapping from names to things, used for every table of implementations."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TypeVar

from forensic.errors import UnknownNameError

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """A read-only table with sorted listing and an error that names the nearest entry.

    Args:
        kind: What an entry is, for messages, e.g. `"generator"`.
        entries: The table itself.

    Example:
        >>> styles = Registry("style", {"line": 1, "color": 2})
        >>> styles["line"], list(styles)
        (1, ['color', 'line'])
    """

    def __init__(self, kind: str, entries: Mapping[str, T]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> T:
        """Return the entry called `name`.

        Raises:
            UnknownNameError: There is none; the message lists the known names.
        """
        try:
            return self._entries[name]
        except KeyError:
            nearest = difflib.get_close_matches(name, self._entries, n=2)
            raise UnknownNameError(self.kind, name, self._entries, nearest) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries
