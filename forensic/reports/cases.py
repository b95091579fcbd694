"""Pictures of one probe and of what a search made of it."""

from __future__ import annotations

from dataclasses import dataclass

from forensic.values import RGB


@dataclass(frozen=True)
class CasePictures:
    """One probe to look at.

    Attributes:
        probe_id: The sketch.
        method: The method whose outcome is shown.
        rank: Rank of the mate.
        sketch: The probe itself.
        machine_made: The face synthesised from it, labelled as such; None if the method makes
            none.
        mate: Photo of the same person.
        first: First candidate, None where that is the mate.
    """

    probe_id: str
    method: str
    rank: int
    sketch: RGB
    machine_made: RGB | None
    mate: RGB
    first: RGB | None
