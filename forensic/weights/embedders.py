"""Names of embedders as users write them and results tell them, and what composed ones are.

`A+B` is two embedders as one, `drawn:A` one whose gallery is drawn as well; both may be joined.
`plain:A` is A itself, where `best` would have drawn the gallery.
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

PLAIN = "plain:"
"""Stands before the name of an embedder whose photos shall stay as they are."""

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


def tell_drawing(name: str) -> str:
    """Return what to say where the gallery of an embedder is drawn without having been asked for.

    Args:
        name: As it was asked for.
    """
    return (
        f"For `{BEST}` the photos are drawn as well ({DRAWN}{name}), by which on no set that was "
        "measured fewer people were found, and on most more (pipelines/README.md). "
        f"`--embedder {PLAIN}{name}` takes them as they are."
    )
