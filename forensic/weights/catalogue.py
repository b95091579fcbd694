"""What is known about each weights file. The entries themselves are data: `catalogue.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from forensic.registry import Registry


@dataclass(frozen=True)
class WeightsEntry:
    """One weights file, its terms and its origin.

    Attributes:
        name: The name that commands and results use.
        task: What the network does, e.g. `face embedding`.
        file: Name of the file.
        sha256: 64 hexadecimal digits, or empty when no trustworthy pin is known.
        bytes: Exact size of the file, 0 when unknown.
        licence: Terms of the weights.
        training_data: What the network has seen.
        paper: The publication it follows.
        origin: Who trained it.
        url: Where an explicit fetch gets it; empty for files that come with the package.
        notes: Anything a reader of a result should know.
        dimension: Length of an embedder's vectors, 0 for other networks.
    """

    name: str
    task: str
    file: str
    sha256: str
    bytes: int
    licence: str
    training_data: str
    paper: str
    origin: str
    url: str = ""
    notes: str = ""
    dimension: int = 0

    @property
    def is_bundled(self) -> bool:
        """Whether the file comes with the package instead of being fetched."""
        return not self.url


@cache
def load_catalogue() -> Registry[WeightsEntry]:
    """Return every known weights file by name."""
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    entries = {name: WeightsEntry(name=name, **row) for name, row in tomllib.loads(text).items()}
    return Registry("weights", entries)
