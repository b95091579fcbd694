"""The facade: a sketch goes in, a ranked list of leads comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensic.check import check_rgb
from forensic.gallery.index import GalleryIndex
from forensic.identification.fusion import combine_sketches, contributions
from forensic.identification.inverter import MachineMadeFace
from forensic.identification.methods import FusionMethod, describe_method
from forensic.identification.probes import Method, Probes
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
        contributions: For a fusion, what each of its methods adds to the score of each candidate,
            in log10 odds, in the order of the candidates; else empty.
        notice: What must be shown with the list.
    """

    candidates: tuple[Candidate, ...]
    gallery_size: int
    n_photos: int
    machine_made: MachineMadeFace | None
    provenance: dict[str, Any]
    contributions: tuple[Mapping[str, float], ...] = ()
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

    def identify(
        self,
        sketch: RGB,
        *,
        landmarks: Landmarks,
        k: int = 20,
        more: Sequence[tuple[RGB, Landmarks]] = (),
    ) -> RankList:
        """Return the `k` candidates that most resemble a sketch.

        Args:
            sketch: (H, W, 3) uint8.
            landmarks: Its five landmarks in pixels.
            k: Persons in the list, at least 1; a smaller gallery gives a shorter list.
            more: Further sketches of the same person with their landmarks; all count the same.

        Raises:
            ShapeError: A sketch is not (H, W, 3).
            DtypeError: A sketch is not uint8.
            LandmarksError: The landmarks are not those of an upright face.
            RangeError: `k` is out of range.
        """
        sketches = [sketch, *(drawing for drawing, _ in more)]
        for drawing in sketches:
            check_rgb(drawing, name="sketch")
        probes = self._method.probe(sketches, [landmarks, *(points for _, points in more)])
        face = probes.faces[0]
        query = combine_sketches(probes.vectors) if more else probes.vectors
        candidates = tuple(self._index.search(query, k)[0])
        described = describe_method(self._method) | (face.provenance if face else {})
        return RankList(
            candidates=candidates,
            gallery_size=self._index.n_subjects,
            n_photos=len(self._index),
            machine_made=face,
            provenance=described | ({"sketches": len(sketches)} if more else {}),
            contributions=self._explain(probes, candidates),
        )

    def _explain(
        self, probes: Probes, candidates: Sequence[Candidate]
    ) -> tuple[Mapping[str, float], ...]:
        if not isinstance(self._method, FusionMethod):
            return ()
        wanted = {candidate.photo_id for candidate in candidates}
        rows = {name: row for row, name in enumerate(self._index.photo_ids) if name in wanted}
        photos = self._index.vectors[[rows[candidate.photo_id] for candidate in candidates]]
        return tuple(contributions(probes.parts, self._method.weights, photos))
