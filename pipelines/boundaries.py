"""`forensic dataset boundaries`: photos with labelled masks to triplets for DeepFacePencil."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensic.errors import DataFolderError, RangeError
from forensic.images.io import load_image
from forensic.runtime import provenance
from forensic.values import RGB
from pipelines.benchmark.folders import pair_folders

if TYPE_CHECKING:
    from forensic.sketches.edges import Mask


def build_boundaries(
    images: Path,
    masks: Path,
    out: Path,
    *,
    max_offset_px: float = 11.0,
    validation_fraction: float = 0.05,
    test_fraction: float = 0.1,
    geometry: str = "portrait-256",
    seed: int = 0,
) -> Counter[str]:
    """Pack photo, boundary sketch and deformed sketch of every face; return faces a split.

    Every picture counts as a person of its own. Chance in a face's strokes depends on its name and
    the seed alone.

    Args:
        images: Folder of square photos, aligned already.
        masks: Folder of masks of the same names, a label for each pixel.
        out: Folder of the new data set.
        max_offset_px: Largest offset of a stroke's coordinate at 512 pixels.
        validation_fraction: Share of faces for validation.
        test_fraction: Share of faces for tests, taken first.
        geometry: How the photos are aligned.
        seed: Another seed gives another split and other strokes.

    Raises:
        DataFolderError: A folder cannot be used, names do not match, `out` holds a data set, or a
            mask has no labels or another shape than a square; its name is said.
        ImageError: A photo or mask cannot be read.
        UnknownNameError: No such geometry.
        RangeError: A fraction or the offset is none.
    """
    from forensic.datasets.packed import PackedWriter, Record
    from forensic.datasets.splits import split_of_subject
    from forensic.faces.align import TEMPLATES

    _ = TEMPLATES[geometry]
    pairs = pair_folders(images, masks, are_drawings=False)
    outcome = Counter[str]()
    with PackedWriter(out, geometry=geometry, quality=100) as writer:
        for pair in pairs:
            subject = f"faces/{pair.probe_id}"
            held = split_of_subject(subject, validation_fraction=test_fraction, seed=seed + 1)
            split = split_of_subject(subject, validation_fraction=validation_fraction, seed=seed)
            split = "test" if held == "validation" else split
            photo = load_image(pair.photo.path)
            labels = _labels(pair.sketch.path)
            draw = np.random.default_rng([seed, *subject.encode()])
            drawn = _draw(photo, labels, pair.sketch.path, max_offset_px, draw)
            writer.add(Record(subject, subject, split, pair.photo.sha256), drawn)
            outcome[split] += 1
        writer.facts = {"max_offset_px": max_offset_px, "seed": seed, **provenance()}
    return outcome


def _labels(path: Path) -> NDArray[np.uint8]:
    """Return the labels of a mask: the levels of a gray picture, the places of a palette."""
    load_image(path)  # refuses what is too large or damaged
    with Image.open(path) as mask:
        if mask.mode not in ("L", "P") or mask.format == "JPEG":
            raise DataFolderError(
                f"{path} is no mask: it has to be a gray or palette PNG with a label per pixel, "
                f"and is a {mask.format} of mode {mask.mode}."
            )
        return np.array(mask)


def _draw(
    photo: RGB,
    labels: NDArray[np.uint8],
    path: Path,
    max_offset_px: float,
    draw: np.random.Generator,
) -> dict[str, NDArray[np.uint8]]:
    """Return the images of one face by name."""
    from forensic.datasets.deformed import BOUNDARY, DEFORMED
    from forensic.sketches.boundary import draw_on_paper, find_boundaries

    try:
        ink = find_boundaries(labels)
        sides = ink, _deformed(ink, max_offset_px, draw)
        boundary, deformed = (draw_on_paper(side, photo.shape[0]) for side in sides)
    except RangeError as error:
        raise DataFolderError(f"{path}: {error}") from error
    if boundary.shape[:2] != photo.shape[:2]:
        raise DataFolderError(f"The photo of {path} is not square.")
    return {"photo": photo, BOUNDARY: boundary, DEFORMED: deformed}


def _deformed(ink: Mask, max_offset_px: float, draw: np.random.Generator) -> Mask:
    from forensic.sketches.strokes import deform_strokes, draw_strokes, trace_strokes

    strokes = deform_strokes(trace_strokes(ink), max_offset_px=max_offset_px, draw=draw)
    return draw_strokes(strokes, (ink.shape[0], ink.shape[1]))


@click.command()
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Square photos.")
@click.option(
    "--masks", required=True, type=click.Path(path_type=Path), help="Masks of the same names."
)
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option(
    "--max-offset",
    default=11.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Largest offset of a stroke's coordinate in pixels of 512.",
)
@click.option("--validation-fraction", default=0.05, show_default=True)
@click.option("--test-fraction", default=0.1, show_default=True)
@click.option("--geometry", default="portrait-256", show_default=True)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
def boundaries(
    images: Path,
    masks: Path,
    out: Path,
    max_offset: float,
    validation_fraction: float,
    test_fraction: float,
    geometry: str,
    seed: int,
) -> None:
    """Draw faces by the boundaries of their masks, straight and deformed, for DeepFacePencil."""
    counts = build_boundaries(
        images,
        masks,
        out,
        max_offset_px=max_offset,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        geometry=geometry,
        seed=seed,
    )
    click.echo(f"{out}: " + ", ".join(f"{n} {split}" for split, n in sorted(counts.items())))
