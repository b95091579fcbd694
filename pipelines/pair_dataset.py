"""`forensic dataset pairs`: photos and people's drawings of them, aligned and packed.

Drawings are packed as they were drawn, and the manifest says so. White on black is not inverted
and paper shadow is not evened, as `forensic identify` and the benchmarks do first: networks may
well learn from both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from forensic.errors import DataFolderError, ImageError
from forensic.images.io import load_image
from forensic.runtime import provenance
from forensic.values import RGB, Face, Landmarks
from pipelines.pair_sources import PairSource, SourcePair, check_pairs, parse_sources

if TYPE_CHECKING:
    from forensic.datasets.packed import PackedWriter
    from forensic.faces.detect import FaceDetector

BATCH = 16


@dataclass(frozen=True)
class PairPlan:
    """How pairs become a data set; see the options of `forensic dataset pairs`."""

    geometry: str = "arcface-112"
    validation_fraction: float = 0.1
    seed: int = 0
    aligned: str | None = None
    quality: int = 95

    def split_of(self, pair: SourcePair) -> str:
        """Return the split that its source fixes, else the one that its person falls into."""
        from forensic.datasets.splits import split_of_subject

        return pair.split or split_of_subject(
            pair.subject, validation_fraction=self.validation_fraction, seed=self.seed
        )


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
        DataFolderError: A source is unusable, pairs are duplicate or mismatched, `out` already
            holds a data set, or no pair could be used.
        UnknownNameError: No such geometry.
        DeviceError: The device is not there.
    """
    from forensic.datasets.packed import PackedWriter
    from forensic.faces.align import TEMPLATES

    _ = TEMPLATES[plan.geometry]
    todo = [pair for source in sources for pair in source.pairs()]
    check_pairs(todo, aligned=plan.aligned)
    place, outcome = _Aligner(plan, device), Counter[str]()
    with PackedWriter(out, geometry=plan.geometry, quality=plan.quality) as writer:
        for first in range(0, len(todo), BATCH):
            batch = todo[first : first + BATCH]
            _pack(batch, plan, place, writer, outcome)
            on_pairs(len(batch))
        if not outcome["packed"]:
            raise DataFolderError(f"No pair could be used: {dict(outcome)}.")
        writer.facts = {
            "sources": sorted(source.name for source in sources),
            "outcome": dict(outcome),
            "drawings": "as drawn",
            "seed": plan.seed,
            "validation_fraction": plan.validation_fraction,
            "provenance": provenance(),
        }
    return outcome


def _pack(
    batch: Sequence[SourcePair],
    plan: PairPlan,
    place: _Aligner,
    writer: PackedWriter,
    outcome: Counter[str],
) -> None:
    """Write the pairs of a batch in which both faces were found; count what became of each."""
    from forensic.datasets.packed import Record
    from forensic.datasets.taught import DRAWING

    photos = place([pair.files.photo.path for pair in batch], "photo")
    sketches = place([pair.files.sketch.path for pair in batch], "sketch")
    for pair, photo, sketch in zip(batch, photos, sketches, strict=True):
        if isinstance(photo, str) or isinstance(sketch, str):
            outcome[photo if isinstance(photo, str) else str(sketch)] += 1
            continue
        record = Record(pair.key, pair.subject, plan.split_of(pair), pair.files.photo.sha256)
        writer.add(record, {"photo": photo, DRAWING: sketch})
        outcome["packed"] += 1


class _Aligner:
    """Brings faces into the plan's geometry, from known or from detected landmarks."""

    def __init__(self, plan: PairPlan, device: str) -> None:
        self.plan = plan
        self._detector: FaceDetector | None = None
        if plan.aligned is None:
            from forensic.faces.detect import FaceDetector

            self._detector = FaceDetector(device)

    def __call__(self, paths: Sequence[Path], kind: Literal["photo", "sketch"]) -> list[RGB | str]:
        """Return the aligned face of each file, or why there is none."""
        from forensic.faces.align import align_face

        images = [_loaded(path) for path in paths]
        points = iter(self._landmarks([i for i in images if not isinstance(i, str)], kind))
        out: list[RGB | str] = []
        for image in images:
            if isinstance(image, str):
                out.append(image)
                continue
            five = next(points)
            if five is None:
                out.append(f"no_{kind}_face")
            else:
                out.append(align_face(image, five, self.plan.geometry)[0])
        return out

    def _landmarks(
        self, images: Sequence[RGB], kind: Literal["photo", "sketch"]
    ) -> list[Landmarks | None]:
        from forensic.faces.landmarks import aligned_landmarks
        from forensic.faces.search import find_faces

        if self._detector is None:
            return [aligned_landmarks(image, str(self.plan.aligned)) for image in images]
        found = find_faces(images, self._detector, kind=kind, allow_many=True)
        return [face.landmarks if isinstance(face, Face) else None for face in found]


def _loaded(path: Path) -> RGB | str:
    try:
        return load_image(path)
    except ImageError as error:
        return error.reason


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
@click.option(
    "--split",
    "splits",
    multiple=True,
    metavar="NAME=SPLIT",
    help="All pairs of that source go into train, validation or test.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option("--aligned", help="Geometry in which all pictures lie already, e.g. cufs.")
@click.option("--quality", default=95, show_default=True, help="WebP quality; 100 is lossless.")
@click.option("--geometry", default="arcface-112", show_default=True, help="How faces are aligned.")
@click.option("--validation-fraction", default=0.1, show_default=True, help="People held out.")
@click.option("--seed", default=0, show_default=True, help="Chooses the people held out.")
@click.option("--device", default="cpu", show_default=True, help="For the face detector.")
def pairs(
    folders: tuple[str, ...],
    ends: tuple[str, ...],
    splits: tuple[str, ...],
    out: Path,
    aligned: str | None,
    quality: int,
    geometry: str,
    validation_fraction: float,
    seed: int,
    device: str,
) -> None:
    """Cut, align and pack photos together with people's drawings of them.

    Pairs in which no face was found are left out and counted. Files without a partner, files used
    twice and pairs of the wrong size are named, and nothing is written.
    """
    from rich.progress import Progress

    sources = parse_sources(folders, ends, splits)
    with Progress() as progress:
        bar = progress.add_task("Pairs", total=None)
        outcome = build_pair_dataset(
            sources,
            out,
            PairPlan(geometry, validation_fraction, seed, aligned, quality),
            device=device,
            on_pairs=lambda n: progress.advance(bar, n),
        )
    click.echo(", ".join(f"{reason} {count}" for reason, count in sorted(outcome.items())))
