"""Machine-made pictures as files: from sketches on disk to labelled PNGs with their provenance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensic.errors import ForensicError, ImageError, InputError
from forensic.faces.detect import FaceDetector
from forensic.faces.landmarks import aligned_landmarks, load_landmarks, load_landmarks_by_file
from forensic.faces.search import Kind, find_face
from forensic.files import write_json
from forensic.generators.registry import PHOTO_TO_SKETCH, LoadedGenerator
from forensic.identification.inverter import MachineMadeFace, SketchInverter
from forensic.images.io import load_image, write_image
from forensic.images.label import label_machine_made, put_beside
from forensic.sketches.normalise import normalise_sketch
from forensic.values import RGB, Landmarks

FindLandmarks = Callable[[Path, RGB], Landmarks]
LEGIBLE_PX = 160
"""Width that the full label needs."""


@dataclass(frozen=True)
class Made:
    """One file that was written.

    Attributes:
        source: The sketch or photo.
        target: The labelled picture.
        steps: What was mended in the sketch, see `normalise_sketch`.
    """

    source: Path
    target: Path
    steps: tuple[str, ...]


def choose_targets(sources: Sequence[Path], out: Path) -> list[Path]:
    """Return where each picture goes: `out` itself for one source, else files in that folder.

    Raises:
        InputError: Two sources have one stem, or several are to go into one file.
    """
    if len(sources) == 1 and out.suffix:
        return [out]
    if out.suffix:
        raise InputError(f"{len(sources)} sketches do not go into one file. Give --out a folder.")
    targets = [out / f"{source.stem}.png" for source in sources]
    if double := sorted({t.name for t in targets if targets.count(t) > 1}):
        raise InputError(f"Several sketches would be written to {', '.join(double[:5])}.")
    return targets


def create_landmark_finder(
    sources: Sequence[Path], *, file: Path | None, aligned: str | None, device: str, kind: Kind
) -> FindLandmarks:
    """Return what finds landmarks in the one way that the user chose.

    Args:
        sources: All files, to know whether `file` speaks of one or of several.
        file: JSON of five points, or of such entries by file name.
        aligned: Geometry in which the pictures lie already.
        device: Where the detector computes when neither is given.
        kind: `photo` or `sketch`, for the detector.

    Raises:
        InputError: Both were given, or the file lacks a source.
        LandmarksError: The file cannot be used.
    """
    if file and aligned:
        raise InputError("Give --landmarks or --aligned, not both.")
    if file and len(sources) == 1:
        five = load_landmarks(file)
        return lambda source, image: five  # noqa: ARG005
    if file:
        by_name = load_landmarks_by_file(file)
        if missing := sorted(s.name for s in sources if s.name not in by_name):
            raise InputError(f"{file} has no landmarks for {', '.join(missing[:5])}.")
        return lambda source, image: by_name[source.name]  # noqa: ARG005
    if aligned:
        return lambda source, image: aligned_landmarks(image, aligned)  # noqa: ARG005
    detector = FaceDetector(device)
    return lambda source, image: find_face(image, detector, kind=kind).landmarks  # noqa: ARG005


def generate_pictures(
    sources: Sequence[Path],
    out: Path,
    *,
    generator: LoadedGenerator,
    inverter: SketchInverter,
    find_landmarks: FindLandmarks,
    face_only: bool = False,
    provenance: dict[str, Any],
) -> tuple[list[Made], list[str]]:
    """Write a labelled picture and a JSON record of its provenance for each source.

    A source that cannot be used does not keep the others from being made.

    Args:
        sources: Sketches, or photos for a generator that draws.
        out: A PNG for one source, a folder for several.
        generator: What makes the pictures.
        inverter: The same generator as a `SketchInverter`.
        find_landmarks: Returns five points of a source and its pixels, or raises.
        face_only: Leave out the source that otherwise stands beside each picture.
        provenance: Recorded beside each picture.

    Returns:
        What was written, and why each of the other sources was not.

    Raises:
        InputError: The sources do not fit `out`.
        OSError: A file cannot be written.
    """
    made, refused = [], []
    for source, target in zip(sources, choose_targets(sources, out), strict=True):
        try:
            image, steps = _read(source, generator)
            face = inverter.invert([image], [find_landmarks(source, image)])[0]
        except ImageError as error:
            refused.append(f"{source}: {error} ({error.reason})")
            continue
        except ForensicError as error:
            refused.append(f"{source}: {error}")
            continue
        write_image(target, _show(face, generator, face_only=face_only))
        facts = {**face.provenance, "sketch_mended": list(steps), "provenance": provenance}
        write_json(target.with_suffix(".json"), facts)
        made.append(Made(source, target, steps))
    return made, refused


def _read(source: Path, generator: LoadedGenerator) -> tuple[RGB, tuple[str, ...]]:
    image = load_image(source)
    if generator.direction == PHOTO_TO_SKETCH:
        return image, ()
    normal = normalise_sketch(image, name=str(source))
    return normal.image, normal.steps


def _show(face: MachineMadeFace, generator: LoadedGenerator, *, face_only: bool) -> RGB:
    if face_only or face.source is None:
        return label_machine_made(face.image, scale=-(-LEGIBLE_PX // face.image.shape[1]))
    label = "PHOTO" if generator.direction == PHOTO_TO_SKETCH else "SKETCH"
    return put_beside(face.source, face.image, source_label=label)
