"""`forensic dataset pairs`: photos and people's drawings of them, aligned and packed.

Drawings are packed as they were drawn, and the manifest says so. White on black is not inverted
and paper shadow is not evened, as `forensic identify` and the benchmarks do first: networks may
well learn from both.
"""

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
from forensic.values import RGB, Face, Landmarks
from pipelines.benchmark.folders import Pair, pair_folders, quote

if TYPE_CHECKING:
    from forensic.datasets.packed import PackedWriter
    from forensic.faces.detect import FaceDetector

BATCH = 16
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class PairSource:
    """A folder with the sub-folders `photos` and `sketches`, whose files match by name.

    Attributes:
        name: Prefix of keys and people, e.g. `cufs`.
        folder: Where the two sub-folders lie.
        person_until: The person is the file's stem up to this text; empty takes the whole stem.
        split: Where all its pairs go; empty divides them by person.
    """

    name: str
    folder: Path
    person_until: str = ""
    split: str = ""

    def pairs(self) -> Iterator[SourcePair]:
        """Yield each pair.

        Raises:
            DataFolderError: A sub-folder cannot be used, or names do not match.
        """
        for pair in pair_folders(self.folder / "photos", self.folder / "sketches"):
            stem = pair.probe_id.rpartition("/")[2]
            person = stem.partition(self.person_until)[0] if self.person_until else stem
            key, subject = f"{self.name}/{pair.probe_id}", f"{self.name}/{person}"
            yield SourcePair(key, subject, self.split, pair)


@dataclass(frozen=True)
class SourcePair:
    """One pair of a source: its key, person, fixed split if any, and files."""

    key: str
    subject: str
    split: str
    files: Pair


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


def check_pairs(pairs: Sequence[SourcePair], *, aligned: str | None) -> None:
    """Refuse pairs that would spoil a training, naming them before it starts.

    Files without a partner are refused earlier, where folders are matched by name.

    Args:
        pairs: All pairs of all sources.
        aligned: Geometry in which they are said to lie, whose size every picture must then have.

    Raises:
        DataFolderError: One file is used twice, sketch and photo are the same file, or one of them
            has not the size of the geometry.
    """
    found = [
        f"{len(names)} {what}: {quote(names)}"
        for what, names in (
            ("sketches that are their own photo", _same_file(pairs)),
            ("files used twice", _used_twice(pairs)),
            ("pairs whose sizes do not match the geometry", _wrong_size(pairs, aligned)),
        )
        if names
    ]
    if found:
        raise DataFolderError(f"Pairs cannot be trained on: {'; '.join(found)}.")


def _same_file(pairs: Sequence[SourcePair]) -> list[str]:
    return [p.key for p in pairs if p.files.sketch.sha256 == p.files.photo.sha256]


def _used_twice(pairs: Sequence[SourcePair]) -> list[str]:
    seen: dict[str, str] = {}
    double = []
    for pair in pairs:
        for kind, file in (("photo", pair.files.photo), ("sketch", pair.files.sketch)):
            label = f"{kind} of {pair.key}"
            other = seen.setdefault(file.sha256, label)
            if other != label and not other.endswith(f" of {pair.key}"):
                double.append(f"{label} = {other}")
    return double


def _wrong_size(pairs: Sequence[SourcePair], aligned: str | None) -> list[str]:
    from forensic.faces.landmarks import ALIGNED
    from forensic.images.io import read_size_hw

    if aligned is None:
        return []
    wanted = ALIGNED[aligned].size_hw
    wrong = []
    for pair in pairs:
        photo, sketch = read_size_hw(pair.files.photo.path), read_size_hw(pair.files.sketch.path)
        if (photo, sketch) != (wanted, wanted):
            wrong.append(
                f"{pair.key} (photo {photo[1]}×{photo[0]}, sketch {sketch[1]}×{sketch[0]})"
            )
    return wrong


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


def _parse_sources(
    folders: tuple[str, ...], ends: tuple[str, ...], splits: tuple[str, ...]
) -> list[PairSource]:
    named = [_split_option("--pairs", entry, "cufs=/data/cufs") for entry in folders]
    until = dict(_split_option("--person-until", entry, "cufsf=_") for entry in ends)
    fixed = dict(_split_option("--split", entry, "cufs-test=test") for entry in splits)
    for option, given in (("--person-until", until), ("--split", fixed)):
        if unknown := sorted(given.keys() - {name for name, _ in named}):
            raise InputError(f"{option} names {unknown}, but --pairs has no such source.")
    if wrong := sorted(set(fixed.values()) - set(SPLITS)):
        raise InputError(f"--split names {wrong}; known: {', '.join(SPLITS)}.")
    return [
        PairSource(name, Path(folder), until.get(name, ""), fixed.get(name, ""))
        for name, folder in named
    ]


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

    sources = _parse_sources(folders, ends, splits)
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
