"""`forensic dataset pairs`: photos and people's drawings of them, aligned and packed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from forensic.errors import DataFolderError, ImageError, InputError
from forensic.images.io import load_image
from forensic.runtime import provenance
from forensic.values import RGB, Face
from pipelines.benchmark.folders import Pair, pair_folders

if TYPE_CHECKING:
    from forensic.datasets.packed import PackedWriter
    from forensic.faces.detect import FaceDetector

BATCH = 16


@dataclass(frozen=True)
class PairSource:
    """A folder with the sub-folders `photos` and `sketches`, whose files match by name.

    Attributes:
        name: Prefix of keys and people, e.g. `cufs`.
        folder: Where the two sub-folders lie.
        person_until: The person is the file's stem up to this text; empty takes the whole stem.
    """

    name: str
    folder: Path
    person_until: str = ""

    def pairs(self) -> Iterator[tuple[str, str, Pair]]:
        """Yield key, person and files of each pair.

        Raises:
            DataFolderError: A sub-folder cannot be used, or names do not match.
        """
        for pair in pair_folders(self.folder / "photos", self.folder / "sketches"):
            stem = pair.probe_id.rpartition("/")[2]
            person = stem.partition(self.person_until)[0] if self.person_until else stem
            yield f"{self.name}/{pair.probe_id}", f"{self.name}/{person}", pair


@dataclass(frozen=True)
class PairPlan:
    """How pairs become a data set; see the options of `forensic dataset pairs`."""

    geometry: str = "arcface-112"
    validation_fraction: float = 0.1
    seed: int = 0


def build_pair_dataset(
    sources: Sequence[PairSource],
    out: Path,
    plan: PairPlan,
    *,
    device: str = "cpu",
    on_pairs: Callable[[int], object] = int,
) -> Counter[str]:
    """Find, align and pack both faces of every pair; return how many ended how.

    Args:
        sources: Folders of pairs.
        out: Folder of the new data set.
        plan: Geometry and split.
        device: Where the detector computes.
        on_pairs: Told the number of pairs done since it was last called.

    Raises:
        DataFolderError: A source is unusable, `out` already holds a data set, or no pair could
            be used.
        UnknownNameError: No such geometry.
        DeviceError: The device is not there.
    """
    from forensic.datasets.packed import PackedWriter
    from forensic.faces.align import TEMPLATES
    from forensic.faces.detect import FaceDetector

    _ = TEMPLATES[plan.geometry]
    todo = [pair for source in sources for pair in source.pairs()]
    detector, outcome = FaceDetector(device), Counter[str]()
    with PackedWriter(out, geometry=plan.geometry) as writer:
        for first in range(0, len(todo), BATCH):
            batch = todo[first : first + BATCH]
            _pack(batch, plan, detector, writer, outcome)
            on_pairs(len(batch))
        if not outcome["packed"]:
            raise DataFolderError(f"No pair could be used: {dict(outcome)}.")
        writer.facts = {
            "sources": sorted(source.name for source in sources),
            "outcome": dict(outcome),
            "seed": plan.seed,
            "validation_fraction": plan.validation_fraction,
            "provenance": provenance(),
        }
    return outcome


def _pack(
    batch: Sequence[tuple[str, str, Pair]],
    plan: PairPlan,
    detector: FaceDetector,
    writer: PackedWriter,
    outcome: Counter[str],
) -> None:
    """Write the pairs of a batch in which both faces were found; count what became of each."""
    from forensic.datasets.packed import Record
    from forensic.datasets.splits import split_of_subject
    from forensic.datasets.taught import DRAWING

    photos = _aligned([p.photo.path for *_, p in batch], "photo", detector, plan.geometry)
    sketches = _aligned([p.sketch.path for *_, p in batch], "sketch", detector, plan.geometry)
    for (key, person, pair), photo, sketch in zip(batch, photos, sketches, strict=True):
        if isinstance(photo, str) or isinstance(sketch, str):
            outcome[photo if isinstance(photo, str) else str(sketch)] += 1
            continue
        split = split_of_subject(
            person, validation_fraction=plan.validation_fraction, seed=plan.seed
        )
        record = Record(key, person, split, pair.photo.sha256)
        writer.add(record, {"photo": photo, DRAWING: sketch})
        outcome["packed"] += 1


def _aligned(
    paths: Sequence[Path], kind: Literal["photo", "sketch"], detector: FaceDetector, geometry: str
) -> list[RGB | str]:
    """Return the aligned face of each file, or why there is none."""
    from forensic.faces.align import align_face
    from forensic.faces.search import find_faces

    images = [_loaded(path) for path in paths]
    readable = [image for image in images if not isinstance(image, str)]
    found = iter(find_faces(readable, detector, kind=kind, allow_many=True))
    out: list[RGB | str] = []
    for image in images:
        if isinstance(image, str):
            out.append(image)
            continue
        face = next(found)
        if isinstance(face, Face):
            out.append(align_face(image, face.landmarks, geometry)[0])
        else:
            out.append(f"no_{kind}_face")
    return out


def _loaded(path: Path) -> RGB | str:
    try:
        return load_image(path)
    except ImageError as error:
        return error.reason


def _parse_sources(folders: tuple[str, ...], ends: tuple[str, ...]) -> list[PairSource]:
    until = dict(_split_option("--person-until", entry, "cufsf=_") for entry in ends)
    named = [_split_option("--pairs", entry, "cufs=/data/cufs") for entry in folders]
    if unknown := sorted(until.keys() - {name for name, _ in named}):
        raise InputError(f"--person-until names {unknown}, but --pairs has no such source.")
    return [PairSource(name, Path(folder), until.get(name, "")) for name, folder in named]


def _split_option(option: str, entry: str, example: str) -> tuple[str, str]:
    name, equals, value = entry.partition("=")
    if not equals or not name or not value:
        raise InputError(f"{option} {entry!r}: write NAME=VALUE, e.g. {example}.")
    return name, value


@click.command()
@click.option(
    "--pairs",
    "folders",
    multiple=True,
    required=True,
    metavar="NAME=FOLDER",
    help="A folder with the sub-folders photos and sketches.",
)
@click.option(
    "--person-until",
    "ends",
    multiple=True,
    metavar="NAME=TEXT",
    help="In that source the person is the file's stem up to TEXT.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option("--geometry", default="arcface-112", show_default=True, help="How faces are aligned.")
@click.option("--validation-fraction", default=0.1, show_default=True, help="People held out.")
@click.option("--seed", default=0, show_default=True, help="Chooses the people held out.")
@click.option("--device", default="cpu", show_default=True, help="For the face detector.")
def pairs(
    folders: tuple[str, ...],
    ends: tuple[str, ...],
    out: Path,
    geometry: str,
    validation_fraction: float,
    seed: int,
    device: str,
) -> None:
    """Cut, align and pack photos together with people's drawings of them.

    Pairs in which no face was found are left out and counted.
    """
    from rich.progress import Progress

    sources = _parse_sources(folders, ends)
    with Progress() as progress:
        bar = progress.add_task("Pairs", total=None)
        outcome = build_pair_dataset(
            sources,
            out,
            PairPlan(geometry, validation_fraction, seed),
            device=device,
            on_pairs=lambda n: progress.advance(bar, n),
        )
    click.echo(", ".join(f"{reason} {count}" for reason, count in sorted(outcome.items())))
