"""What every embedder offers, and the checks that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import DtypeError, RangeError
from forensic.faces.align import TEMPLATES
from forensic.values import Vectors

if TYPE_CHECKING:
    from torch import nn


class Embedder(Protocol):
    """Turns faces in one named geometry into unit vectors.

    Attributes:
        name: What results call it.
        dimension: Length of a vector.
        template: The geometry it expects, a name in `forensic.faces.align.TEMPLATES`.
        weights_sha256: SHA-256 of its weights file; travels with every result and index.
    """

    name: str
    dimension: int
    template: str
    weights_sha256: str

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return one unit row for each face.

        Args:
            faces: (B, H, W, 3) uint8 RGB, in the embedder's geometry; B may be 0.

        Returns:
            (B, dimension) float32, rows of length 1.

        Raises:
            ShapeError: The faces are not in the embedder's geometry.
            DtypeError: The faces are not uint8.
            RangeError: The network gave no direction for a face (zero or not finite).
        """


@runtime_checkable
class TrainableEmbedder(Embedder, Protocol):
    """An embedder whose network can be read, so that training can go on from it."""

    def copy_network(self) -> tuple[str, dict[str, Any], nn.Module]:
        """Return the architecture's name and arguments, and a copy of the network.

        The network is in evaluation mode and takes faces (B, 3, H, W) in [0, 1] to
        (B, dimension); the arguments are JSON values.

        Raises:
            WeightsError: The network's file has an operation that cannot be trained.
        """


@runtime_checkable
class ComposedEmbedder(Embedder, Protocol):
    """An embedder made of several networks.

    Attributes:
        parts_sha256: SHA-256 of the weights of each, by name.
    """

    parts_sha256: dict[str, str]


def parts_of(embedder: Embedder) -> dict[str, str]:
    """Return the SHA-256 of what an embedder is made of, by name; nothing for a single network."""
    return dict(embedder.parts_sha256) if isinstance(embedder, ComposedEmbedder) else {}


def check_faces(faces: NDArray[np.uint8], template: str) -> None:
    """Refuse anything but (B, H, W, 3) uint8 in the size of a named geometry.

    Raises:
        UnknownNameError: No such geometry.
        ShapeError: Wrong number of axes, size or channels.
        DtypeError: Not uint8.
    """
    check_shape(faces, (None, *TEMPLATES[template].size_hw, 3), name="faces")
    if faces.dtype != np.uint8:
        raise DtypeError(f"faces have dtype {faces.dtype}, expected uint8 in 0..255.")


def unit_rows(rows: NDArray[np.floating]) -> Vectors:
    """Return rows scaled to length 1, as float32.

    Args:
        rows: (B, D).

    Raises:
        RangeError: A row is zero or not finite, so it has no direction.
    """
    exact = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise RangeError("The network gave a vector that is zero or not finite for some face.")
    return np.asarray(exact / lengths, dtype=np.float32)
