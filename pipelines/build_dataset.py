"""`forensic dataset`: photos to aligned, packed faces, split by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from forensic.errors import DataFolderError, ImageError, NoFaceError
from forensic.files import sha256_of_bytes
from forensic.images.io import decode_image
from forensic.runtime import provenance
from forensic.values import RGB, Landmarks
from pipelines.adapter_data import adapter
from pipelines.boundaries import boundaries
from pipelines.contours import contours
from pipelines.heldout import heldout
from pipelines.pair_dataset import pairs
from pipelines.photo_sources import Source, parse_sources
from pipelines.pseudo_sketches import PseudoSketcher
from pipelines.teach import teach

if TYPE_CHECKING:
    from forensic.datasets.packed import Record
    from forensic.faces.detect import FaceDetector

BATCH = 64


@dataclass(frozen=True)
class Plan:
    """How photos become a data set; see the options of `forensic dataset build`."""

    geometry: str
    styles: tuple[str, ...]
    split: str
    validation_fraction: float
    seed: int
    quality: int
    drawn_by: tuple[str, ...] = ()


def build_dataset(
    sources: list[Source],
    out: Path,
    plan: Plan,
    *,
    device: str,
    workers: int,
    on_photos: Callable[[int], object],
) -> Counter[str]:
    """Detect, align, sketch and pack every photo; return how many ended how.

    Args:
        sources: Folders of photos.
        out: Folder of the new data set.
        plan: Geometry, styles and split.
        device: Where the detector computes.
        workers: Processes that decode, align and sketch.
        on_photos: Told the number of photos done since it was last called.

    Raises:
        DataFolderError: A source is unusable, `out` already holds a data set, or no photo could
            be used.
        UnknownNameError: No such geometry, sketch style or generator.
        WeightsError: Weights of a generator are missing or damaged.
        InputError: A generator does not draw photos.
        DeviceError: The device is not there.
    """
    from forensic.datasets.packed import PackedWriter
    from forensic.faces.align import TEMPLATES
    from forensic.faces.detect import FaceDetector
    from forensic.sketches.registry import SKETCH_STYLES

    _ = TEMPLATES[plan.geometry], [SKETCH_STYLES[style] for style in plan.styles]
    todo = iter([photo for source in sources for photo in source.photos()])
    detector, outcome = FaceDetector(device), Counter[str]()
    sketcher = PseudoSketcher(plan.drawn_by, geometry=plan.geometry, device=device)
    with (
        PackedWriter(out, geometry=plan.geometry, quality=plan.quality) as writer,
        # Fresh processes: forking one in which torch has threads can hang.
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        while batch := list(islice(todo, BATCH)):
            files = list(pool.map(_read, (path for _, _, path in batch), chunksize=8))
            faces = list(_locate(batch, files, detector, outcome))
            drawings = sketcher.draw([f.image for f in faces], [f.landmarks for f in faces])
            prepared = pool.map(partial(_prepare, plan), faces, chunksize=8)
            for (record, pictures), drawn in zip(prepared, drawings, strict=True):
                writer.add(record, pictures | drawn)
            on_photos(len(batch))
        if not outcome["packed"]:
            raise DataFolderError(f"No photo could be used: {dict(outcome)}.")
        writer.facts = _facts(sources, plan, outcome, sketcher.weights_sha256)
    return outcome


@dataclass(frozen=True)
class _Located:
    key: str
    subject: str
    source_sha256: str
    image: RGB
    landmarks: Landmarks


def _read(path: Path) -> tuple[str, RGB] | str:
    """Return a file's hash and pixels, or why it cannot be used."""
    try:
        data = path.read_bytes()
        return sha256_of_bytes(data), decode_image(data, name=str(path))
    except ImageError as error:
        return error.reason
    except OSError:
        return "unreadable"


def _locate(
    batch: list[tuple[str, str, Path]],
    files: list[tuple[str, RGB] | str],
    detector: FaceDetector,
    outcome: Counter[str],
) -> Iterator[_Located]:
    """Yield the photos of a batch whose face was found, counting what became of each."""
    from forensic.faces.detect import choose_face

    outcome.update(file for file in files if isinstance(file, str))
    usable = [
        (place, *file)
        for place, file in zip(batch, files, strict=True)
        if not isinstance(file, str)
    ]
    found = detector.detect([image for _, _, image in usable])
    for ((key, subject, _), digest, image), faces in zip(usable, found, strict=True):
        try:
            face = choose_face(faces, image.shape[:2], allow_many=True)
        except NoFaceError:
            outcome["no_face"] += 1
            continue
        outcome["packed"] += 1
        yield _Located(key, subject, digest, image, face.landmarks)


def _prepare(plan: Plan, face: _Located) -> tuple[Record, dict[str, NDArray[np.uint8]]]:
    """Align one face and draw its stored sketches."""
    from forensic.datasets.packed import Record
    from forensic.datasets.splits import split_of_subject
    from forensic.faces.align import align_face
    from forensic.sketches.registry import SKETCH_STYLES

    photo, _ = align_face(face.image, face.landmarks, plan.geometry)
    pictures = {"photo": photo, **{style: SKETCH_STYLES[style](photo) for style in plan.styles}}
    split = plan.split
    if split == "auto":
        split = split_of_subject(
            face.subject, validation_fraction=plan.validation_fraction, seed=plan.seed
        )
    return Record(face.key, face.subject, split, face.source_sha256), pictures


def _facts(
    sources: list[Source], plan: Plan, outcome: Counter[str], drawn_by: dict[str, str]
) -> dict[str, Any]:
    return {
        **({"drawn_by": drawn_by} if drawn_by else {}),
        "sources": sorted(source.name for source in sources),
        "outcome": dict(outcome),
        "seed": plan.seed,
        "validation_fraction": plan.validation_fraction,
        "provenance": provenance(),
    }


@click.group()
def dataset() -> None:
    """Make and inspect packed data sets of aligned faces."""


@dataset.command()
@click.option("--photos", multiple=True, required=True, metavar="NAME=FOLDER", help="A source.")
@click.option("--people", multiple=True, metavar="NAME=FILE", help="Only these people of it.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option("--geometry", default="csi-96", show_default=True, help="How faces are aligned.")
@click.option("--styles", default="", help="Sketch styles to store, joined by commas.")
@click.option(
    "--drawn-by",
    multiple=True,
    metavar="GENERATOR",
    help="Store drawings by this network, such as fcn-sr. Repeatable.",
)
@click.option(
    "--split",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "train", "validation", "test"]),
    help="auto keeps some people for validation.",
)
@click.option("--validation-fraction", default=0.03, show_default=True, help="For --split auto.")
@click.option("--seed", default=0, show_default=True, help="Chooses the people of validation.")
@click.option("--quality", default=100, show_default=True, help="WebP quality; 100 is lossless.")
@click.option("--device", default="cpu", show_default=True, help="For the face detector.")
@click.option("--workers", default=2, show_default=True, help="Processes for the rest.")
def build(
    photos: tuple[str, ...],
    people: tuple[str, ...],
    out: Path,
    geometry: str,
    styles: str,
    drawn_by: tuple[str, ...],
    split: str,
    validation_fraction: float,
    seed: int,
    quality: int,
    device: str,
    workers: int,
) -> None:
    """Cut, align and pack the faces of photo folders, with hashes and a split by person.

    Where a photo shows several faces, the large and central one is taken. Photos without a face
    or that cannot be read are left out and counted.
    """
    from rich.progress import Progress

    stored = tuple(filter(None, styles.split(",")))
    plan = Plan(geometry, stored, split, validation_fraction, seed, quality, drawn_by)
    with Progress() as progress:
        bar = progress.add_task("Photos", total=None)
        outcome = build_dataset(
            parse_sources(photos, people),
            out,
            plan,
            device=device,
            workers=workers,
            on_photos=lambda n: progress.advance(bar, n),
        )
    click.echo(", ".join(f"{reason} {count}" for reason, count in sorted(outcome.items())))


@dataset.command()
@click.argument("folder", type=click.Path(path_type=Path))
def verify(folder: Path) -> None:
    """Compare every file of a packed data set with its manifest."""
    from forensic.datasets.packed import PackedDataset

    packed = PackedDataset(folder)
    click.echo(f"{folder}: {len(packed.records)} faces, {packed.manifest['splits']}, all intact.")


dataset.add_command(adapter)
dataset.add_command(boundaries)
dataset.add_command(contours)
dataset.add_command(heldout)
dataset.add_command(pairs)
dataset.add_command(teach)
