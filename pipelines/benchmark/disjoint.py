"""Proof, as far as files can give it, that the parts of a benchmark show different people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from forensic.errors import DataFolderError
from pipelines.benchmark.folders import ImageFile, PairsData, quote


def check_parts(data: PairsData, stored_subjects: Iterable[str] = ()) -> None:
    """Refuse data whose gallery, non-mated probes and calibration set share a person.

    Names and contents are compared. Two names for one person cannot be noticed.

    Args:
        data: The images.
        stored_subjects: Identifiers of the people of a stored gallery, if one is searched.

    Raises:
        DataFolderError: Two parts share a stem or the content of a file; the message says which.
    """
    mated = [image for pair in data.pairs for image in (pair.sketch, pair.photo)]
    check_apart(
        {
            "probes and gallery": mated + data.distractors,
            "non-mated probes": data.nonmated,
            "calibration set": [i for pair in data.calibration for i in (pair.sketch, pair.photo)],
        },
        stems={"probes and gallery": {name.rpartition("/")[2] for name in stored_subjects}},
    )


def check_apart(parts: Mapping[str, Sequence[ImageFile]], *, stems: Mapping[str, set[str]]) -> None:
    """Refuse parts of which two share a stem or a content.

    Args:
        parts: Images by what the part is called in messages.
        stems: Further stems of a part that has no files for them.

    Raises:
        DataFolderError: Two parts share somebody.
    """
    named = {
        part: {image.stem for image in images} | stems.get(part, set())
        for part, images in parts.items()
    }
    for one, other in combinations(parts, 2):
        _refuse(named[one] & named[other], one, other, "stem")
        by_content = {image.sha256: image.name for image in parts[one]}
        copies = {image.name for image in parts[other] if image.sha256 in by_content}
        _refuse(copies, one, other, "content")


def _refuse(shared: set[str], one: str, other: str, what: str) -> None:
    if shared:
        raise DataFolderError(
            f"The {one} and the {other} share {len(shared)} files by {what}: {quote(shared)}. "
            f"Remove these people from the {other}; nobody may be in both."
        )
