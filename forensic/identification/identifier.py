"""The facade: a sketch goes in, a ranked list of leads comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forensic.check import check_rgb
from forensic.gallery.index import GalleryIndex
from forensic.identification.inverter import MachineMadeFace
from forensic.identification.methods import Method, describe_method
from forensic.values import LEAD_ONLY, RGB, Candidate, Landmarks


@dataclass(frozen=True)
class RankList:
    """Who in a gallery most resembles a sketch: leads, never an identification.

    Attributes:
        candidates: Best first.
        gallery_size: Persons in the gallery.
        n_photos: Photos of them that were searched.
        machine_made: The face that was synthesised on the way, if the method makes one.
        provenance: Method, generator, embedder and SHA-256 of their weights.
        notice: What must be shown with the list.
    """

    candidates: tuple[Candidate, ...]
    gallery_size: int
    n_photos: int
    machine_made: MachineMadeFace | None
    provenance: dict[str, Any]
    notice: str = LEAD_ONLY


class Identifier:
    """Ranks one gallery by sketches, with one method; stateless between calls.

    Args:
        method: From sketch to vector.
        index: The gallery, built with the same embedder.
    """

    def __init__(self, *, method: Method, index: GalleryIndex) -> None:
        self._method = method
        self._index = index

    def identify(self, sketch: RGB, *, landmarks: Landmarks, k: int = 20) -> RankList:
        """Return the `k` candidates that most resemble a sketch.

        Args:
            sketch: (H, W, 3) uint8.
            landmarks: Its five landmarks in pixels.
            k: Persons in the list, at least 1; a smaller gallery gives a shorter list.

        Raises:
            ShapeError: The sketch is not (H, W, 3).
            DtypeError: The sketch is not uint8.
            LandmarksError: The landmarks are not those of an upright face.
            RangeError: `k` is out of range.
        """
        check_rgb(sketch, name="sketch")
        probes = self._method.probe([sketch], [landmarks])
        face = probes.faces[0]
        candidates = self._index.search(probes.vectors, k)[0]
        return RankList(
            candidates=tuple(candidates),
            gallery_size=self._index.n_subjects,
            n_photos=len(self._index),
            machine_made=face,
            provenance=describe_method(self._method) | (face.provenance if face else {}),
        )
