"""How often a face is found in a folder of sketches or photos, by which look, with an interval.

`forensic bench faces`. A face found is not yet a face found in the right place: with `--aligned`
the folder's own geometry is the reference, without it look at the points.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.errors import ImageError
from forensic.stats.binomial import Interval, clopper_pearson

if TYPE_CHECKING:
    from forensic.faces.detect import FaceDetector
    from forensic.faces.search import Kind
    from forensic.values import RGB, Face

OFF_SHARE = 0.15
"""An eye counts as misplaced from this share of the distance between the eyes."""

LOADED_AT_ONCE = 32


@dataclass(frozen=True)
class FaceRates:
    """How often a face was found.

    Attributes:
        kind: `photo` or `sketch`.
        n_images: Images looked at, and blank drawings.
        n_first_look: Of these, images in which the first, plain look finds a face.
        n_found: Images in which the whole ladder finds one.
        interval: Clopper-Pearson 95 % interval of the rate found / images.
        n_by_look: Images settled by each look, most frequent first.
        n_unreadable: Files that are no image, not counted above.
        missed: Names of the images without a face, or with several that compete.
        n_eyes_off: Found faces with an eye misplaced by `OFF_SHARE` or more, in sets whose
            geometry is known; else None.
    """

    kind: str
    n_images: int
    n_first_look: int
    n_found: int
    interval: Interval
    n_by_look: dict[str, int]
    n_unreadable: int
    missed: tuple[str, ...]
    n_eyes_off: int | None


def measure_face_rates(
    paths: Sequence[Path],
    detector: FaceDetector,
    *,
    kind: Kind,
    aligned: str | None = None,
    on_images: Callable[[int], None] | None = None,
) -> FaceRates:
    """Look for the face in each image file and count.

    Args:
        paths: Image files.
        detector: Finds the faces.
        kind: Whose ladder of looks is climbed.
        aligned: Name of the geometry in which all images lie, to check the eyes against.
        on_images: Told the number of images done since it was last called.

    Raises:
        UnknownNameError: No such geometry.
    """
    from forensic.faces.search import LADDERS, find_faces, look_at
    from forensic.values import Face

    found: dict[str, Face | Exception] = {}
    n_first = n_unreadable = n_off = 0
    for start in range(0, len(paths), LOADED_AT_ONCE):
        images, refused = _read(paths[start : start + LOADED_AT_ONCE], kind)
        blank = {name: error for name, error in refused.items() if error.reason == "blank"}
        found |= blank
        n_unreadable += len(refused) - len(blank)
        pictures = list(images.values())
        first = look_at(pictures, detector, LADDERS[kind][0], negatives=False)
        n_first += sum(bool(faces) for faces in first)
        outcome = dict(zip(images, find_faces(pictures, detector, kind=kind), strict=True))
        if aligned:
            n_off += sum(
                _is_off(face, images[name], aligned)
                for name, face in outcome.items()
                if isinstance(face, Face)
            )
        found |= outcome
        if on_images:
            on_images(min(LOADED_AT_ONCE, len(paths) - start))
    faces = [face for face in found.values() if isinstance(face, Face)]
    return FaceRates(
        kind=kind,
        n_images=len(found),
        n_first_look=n_first,
        n_found=len(faces),
        interval=clopper_pearson(len(faces), len(found)),
        n_by_look=dict(Counter(face.detector for face in faces).most_common()),
        n_unreadable=n_unreadable,
        missed=tuple(Path(name).name for name, face in found.items() if not isinstance(face, Face)),
        n_eyes_off=n_off if aligned else None,
    )


def _read(paths: Sequence[Path], kind: Kind) -> tuple[dict[str, RGB], dict[str, ImageError]]:
    """Return images as the product looks at them, drawings mended first, and those refused."""
    from forensic.images.io import load_image
    from forensic.sketches.normalise import normalise_sketch

    images, refused = {}, {}
    for path in paths:
        try:
            image = load_image(path)
            if kind == "sketch":
                image = normalise_sketch(image, name=path.name).image
            images[str(path)] = image
        except ImageError as error:
            refused[str(path)] = error
    return images, refused


def _is_off(face: Face, image: RGB, aligned: str) -> bool:
    import numpy as np

    from forensic.faces.landmarks import aligned_landmarks

    eyes = aligned_landmarks(image, aligned)[:2]
    distance = np.linalg.norm(eyes[1] - eyes[0])
    errors = np.linalg.norm(face.landmarks[:2] - eyes, axis=1)
    return bool(errors.max() >= OFF_SHARE * distance)


def describe_rates(rates: FaceRates) -> str:
    """Return the figures as lines of text."""
    low, high = (100 * end for end in rates.interval)
    share = 100 * rates.n_found / max(rates.n_images, 1)
    lines = [
        f"{rates.n_found} of {rates.n_images} {rates.kind} images give a face: {share:.2f} % "
        f"(95 % Clopper-Pearson {low:.2f} to {high:.2f} %).",
        f"The first look alone finds one in {rates.n_first_look}.",
        *(f"  {look:<26}{n:>7}" for look, n in rates.n_by_look.items()),
    ]
    if rates.n_eyes_off is not None:
        lines.append(
            f"{rates.n_eyes_off} of the faces found have an eye misplaced by {OFF_SHARE} of the "
            "distance between the eyes or more."
        )
    if rates.n_unreadable:
        lines.append(f"{rates.n_unreadable} files are no readable image and are not counted.")
    if rates.missed:
        lines.append("Without a face: " + ", ".join(rates.missed))
    return "\n".join(lines)


@click.command("faces")
@click.option("--sketches", type=click.Path(path_type=Path), help="Folder of drawings.")
@click.option("--photos", type=click.Path(path_type=Path), help="Folder of photos.")
@click.option("--aligned", metavar="NAME", help="Geometry of the images, to check the eyes.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def face_rates(
    sketches: Path | None, photos: Path | None, aligned: str | None, device: str, as_json: bool
) -> None:
    """Count in how many images of a folder a face is found, and by which look."""
    if (sketches is None) == (photos is None):
        raise click.UsageError("Give either --sketches DIR or --photos DIR.")
    from forensic.cli.progress import show_progress
    from forensic.faces.detect import FaceDetector
    from forensic.images.io import list_images

    kind: Kind = "sketch" if sketches else "photo"
    paths = list_images(sketches or photos or Path())
    with show_progress("Looking for faces", len(paths)) as advance:
        rates = measure_face_rates(
            paths, FaceDetector(device), kind=kind, aligned=aligned, on_images=advance
        )
    click.echo(json.dumps(asdict(rates), indent=2) if as_json else describe_rates(rates))
