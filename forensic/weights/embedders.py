"""Names of embedders as users write them and results tell them, and what composed ones are.

`A+B` is two embedders as one, `drawn:A` one whose gallery is drawn as well; both may be joined.
They are read here without the networks, so that the web process can offer them.
"""

from __future__ import annotations

from collections.abc import Iterable

from forensic.files import sha256_of_bytes
from forensic.weights.fusions import BEST

JOIN = "+"
"""Stands between the names of embedders that are one."""

DRAWN = "drawn:"
"""Stands before the name of an embedder whose gallery is drawn."""

DRAWN_STYLES = ("line", "xdog")
"""Operators by which each photo of such a gallery is drawn."""

DEFAULT = "drawn:sketchface"
"""What a gallery is embedded with where nothing else is asked for."""


def joint_sha256(parts: Iterable[str]) -> str:
    """Return by what joined embedders are known, from the SHA-256 of each, in order."""
    return sha256_of_bytes("\n".join(parts).encode())


def drawn_sha256(embedder: str, encoders: Iterable[str]) -> str:
    """Return by what an embedder with a drawn gallery is known.

    Args:
        embedder: SHA-256 of the embedder.
        encoders: Those of its sketch encoders, in order.
    """
    return sha256_of_bytes("\n".join([DRAWN, embedder, *encoders, *DRAWN_STYLES]).encode())


def advise_drawing(embedder: str, methods: Iterable[str]) -> str:
    """Return a hint for who searches by `best` among photos as they are; empty for others.

    Args:
        embedder: Name or path, as it was asked for.
        methods: Names of the ways from sketch to vector.
    """
    if embedder.startswith(DRAWN) or BEST not in methods:
        return ""
    return (
        f"The photos are embedded as they are. `--embedder {DRAWN}{embedder}` draws them as well, "
        "which found more people on every set that was measured (pipelines/README.md)."
    )
