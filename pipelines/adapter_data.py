"""`forensic dataset adapter`: one small folder with all that the training of an adapter needs.

    OUT/
      pairs/         photo and drawing of each pair; half of the people held out are its validation
                     split, the other half are kept for reports and lie nowhere here
      photos/        photos to draw, and some drawings of them by operators
      people.json    who is who, who is held out, and which photos were left out as lookalikes

Every part is a packed data set with the embedder's vectors beside it. People's drawings come as
`forensic dataset pairs` packed them, and the manifest repeats what that says of them. The people
held out are arranged from the files themselves for benchmarks, which mend each drawing first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from forensic.datasets.splits import split_of_subject
from forensic.errors import DataFolderError, InputError
from forensic.files import read_json, write_json
from forensic.runtime import provenance

if TYPE_CHECKING:
    from forensic.datasets.packed import PackedDataset, PackedWriter, Record
    from forensic.values import Vectors

SAME_PERSON = 0.5
"""Cosine of two photos above which they are taken to show one person."""

PEOPLE = "people.json"
CHUNK = 512  # faces in memory at a time; a whole shard is read for each


@dataclass(frozen=True)
class AdapterPlan:
    """How a folder is made; see the options of `forensic dataset adapter`."""

    held_out: float = 0.12
    seed: int = 0
    most_per_person: int = 8
    stored_share: float = 0.15
    quality: int = 76


@dataclass(frozen=True)
class People:
    """Who is who.

    Attributes:
        of_pair: Person by key of a pair.
        held_out: Keys of the pairs whose people no training sees.
        left_out: Keys of photos that look like one of those people.
    """

    of_pair: dict[str, str]
    held_out: frozenset[str]
    left_out: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> People:
        """Read what `write` wrote.

        Raises:
            DataFolderError: The file is missing or damaged.
        """
        try:
            entries: dict[str, Any] = read_json(path)
            held_out, left_out = frozenset(entries["held_out"]), frozenset(entries["left_out"])
            return cls(dict(entries["of_pair"]), held_out, left_out)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataFolderError(f"{path} does not say who is held out: {error}.") from error

    def half(self, key: str) -> str:
        """Return `fit` or `report`: which half of the people the person of a pair belongs to.

        What is chosen or fitted on the one is reported on the other.
        """
        split = split_of_subject(self.of_pair[key], validation_fraction=0.5, seed=1)
        return "fit" if split == "train" else "report"

    def seen_in(self, folders: Sequence[Path]) -> set[str]:
        """Return who is on a training picture of one of the packed data sets."""
        from forensic.datasets.packed import PackedDataset

        return {
            self.of_pair[record.key]
            for folder in folders
            for record in PackedDataset(folder, verify=False).records
            if record.split == "train" and record.key in self.of_pair
        }

    def without(self, known: Collection[str]) -> People:
        """Return the same with some people no longer held out."""
        held_out = frozenset(key for key in self.held_out if self.of_pair[key] not in known)
        return replace(self, held_out=held_out)

    def write(self, path: Path) -> None:
        """Write everything as JSON, sorted."""
        write_json(
            path,
            {
                "of_pair": self.of_pair,
                "held_out": sorted(self.held_out),
                "left_out": sorted(self.left_out),
            },
        )


def build_adapter_data(
    pairs: Path,
    photos: Sequence[Path],
    out: Path,
    plan: AdapterPlan,
    *,
    people: Path | None = None,
    seen: Sequence[Path] = (),
) -> Counter[str]:
    """Join taught data sets into one folder; return how many faces went where.

    Args:
        pairs: Photos and people's drawings, from `forensic dataset pairs`.
        photos: Photos, from `forensic dataset build`.
        out: Folder to make.
        plan: What is held out, and how much is kept.
        people: `people.json` of an earlier folder, so that another embedder's data hold out the
            same people; without it, people are told apart by these vectors.
        seen: Packed pairs on which the embedder was trained. Its people prove nothing when held
            out, so they are trained on.

    Raises:
        DataFolderError: A folder is no data set, has no vectors, or those of another embedder.
        OSError: `out` cannot be written.
    """
    from forensic.datasets.packed import PackedDataset
    from forensic.datasets.taught import load_targets

    folders = [pairs, *photos]
    packed = [PackedDataset(folder) for folder in folders]
    vectors, teachers = zip(*(load_targets(folder) for folder in folders), strict=True)
    if len({teacher["weights_sha256"] for teacher in teachers}) != 1:
        raise DataFolderError(
            "The data sets hold vectors of different embedders. Run `forensic dataset teach` on "
            "each with the same one."
        )
    if people:
        known = People.read(people)
    else:
        known = tell_apart(packed[0].records, vectors[0], plan)
        others = [record for data in packed[1:] for record in data.records]
        known = leave_out_lookalikes(known, packed[0].records, vectors[0], others, vectors[1:])
    known = known.without(known.seen_in(seen))
    outcome = Counter[str]()
    writer = _Writer(out, plan, known, teachers[0], outcome)
    writer.write("pairs", packed[:1], vectors[:1])
    writer.write("photos", packed[1:], vectors[1:])
    known.write(out / PEOPLE)
    return outcome


def tell_apart(records: Sequence[Record], vectors: Vectors, plan: AdapterPlan) -> People:
    """Return who the pairs show: the data set's own word, joined where photos look alike.

    Some sets name photos, not people. Two photos of one source with a cosine above `SAME_PERSON`
    are taken for one person, whoever else they are like, so that nobody is on both sides.
    """
    people = [record.subject for record in records]
    sources = np.array([record.key.partition("/")[0] for record in records])
    for source in sorted(set(sources)):
        rows = np.flatnonzero(sources == source)
        alike = np.argwhere(np.triu(vectors[rows] @ vectors[rows].T > SAME_PERSON, k=1))
        for first, second in rows[alike]:
            names = sorted({people[first], people[second]})
            if len(names) == 2:
                people = [names[0] if name == names[1] else name for name in people]
    held_out = frozenset(
        record.key
        for record, person in zip(records, people, strict=True)
        if split_of_subject(person, validation_fraction=plan.held_out, seed=plan.seed) != "train"
    )
    of_pair = {record.key: person for record, person in zip(records, people, strict=True)}
    return People(of_pair, held_out, frozenset())


def leave_out_lookalikes(
    people: People,
    records: Sequence[Record],
    vectors: Vectors,
    others: Sequence[Record],
    other_vectors: Sequence[Vectors],
) -> People:
    """Add the photos that may show a held-out person under another name."""
    held = np.array([record.key in people.held_out for record in records])
    nearest = (np.concatenate(other_vectors) @ vectors[held].T).max(axis=1, initial=-1.0)
    seen = {r.key for r, cosine in zip(others, nearest, strict=True) if cosine > SAME_PERSON}
    return People(people.of_pair, people.held_out, frozenset(seen))


class _Writer:
    """Writes the parts of the folder."""

    def __init__(
        self,
        out: Path,
        plan: AdapterPlan,
        people: People,
        teacher: dict[str, Any],
        outcome: Counter[str],
    ) -> None:
        self._out, self._plan, self._people = out, plan, people
        self._teacher = {key: teacher[key] for key in ("embedder", "weights_sha256")}
        self._outcome = outcome

    def write(self, name: str, packed: Sequence[PackedDataset], vectors: Sequence[Vectors]) -> None:
        """Write one part from several data sets, with their vectors."""
        from forensic.datasets.packed import PackedWriter
        from forensic.datasets.taught import save_targets

        geometry, folder = packed[0].manifest["geometry"], self._out / name
        kept: list[Vectors] = []
        with PackedWriter(folder, geometry=geometry, quality=self._plan.quality) as writer:
            for data, own in zip(packed, vectors, strict=True):
                if data.manifest["geometry"] != geometry:
                    raise DataFolderError(f"{data.folder} holds faces in another geometry.")
                rows = self._chosen(data.records)
                for first in range(0, len(rows), CHUNK):
                    self._add(writer, data, [data.records[r] for r in rows[first : first + CHUNK]])
                kept.append(own[rows])
            told = packed[0].manifest.get("drawings")
            writer.facts = {
                **({"drawings": told} if told else {}),
                "sources": sorted({str(data.folder.name) for data in packed}),
                "seed": self._plan.seed,
                "validation_fraction": self._plan.held_out,
                "provenance": provenance(),
            }
        save_targets(folder, np.concatenate(kept), self._teacher)

    def _chosen(self, records: Sequence[Record]) -> list[int]:
        """Return rows to keep: nobody for reports, no lookalikes, not too many of one person."""
        counts = Counter[str]()
        rows = []
        for row, record in enumerate(records):
            is_pair = record.key in self._people.of_pair
            counts[record.subject] += 1
            if record.key in self._people.left_out:
                self._outcome["left out, like a held-out person"] += 1
            elif self._is_for_reports(record):
                self._outcome["kept for reports"] += 1
            elif is_pair or counts[record.subject] <= self._plan.most_per_person:
                rows.append(row)
        return rows

    def _is_for_reports(self, record: Record) -> bool:
        known = self._people
        return record.key in known.held_out and known.half(record.key) == "report"

    def _add(self, writer: PackedWriter, data: PackedDataset, records: Sequence[Record]) -> None:
        """Copy some faces, packed again in the plan's quality."""
        names = {record.key: self._names(record) for record in records}
        images: dict[str, dict[str, NDArray[np.uint8]]] = {record.key: {} for record in records}
        for name in sorted({name for wanted in names.values() for name in wanted}):
            wanting = [record for record in records if name in names[record.key]]
            for record, image in zip(wanting, data.images(wanting, name), strict=True):
                images[record.key][name] = image
        for record in records:
            person = self._people.of_pair.get(record.key, record.subject)
            split = "validation" if record.key in self._people.held_out else "train"
            self._outcome[f"{record.key.partition('/')[0]} {split}"] += 1
            copy = replace(record, subject=person, split=split, images={})
            writer.add(copy, images[record.key])

    def _names(self, record: Record) -> list[str]:
        """Return which pictures of a face to keep: all of a pair, else mostly the photo alone."""
        is_pair = record.key in self._people.of_pair
        place = split_of_subject(record.key, validation_fraction=self._plan.stored_share, seed=1)
        return list(record.images) if is_pair or place != "train" else ["photo"]


SEEN = click.option(
    "--seen", type=click.Path(path_type=Path), multiple=True,
    help="Packed pairs that the embedder was trained on; its people are not held out. Repeatable.",
)  # fmt: skip


@click.command()
@click.option("--pairs", required=True, type=click.Path(path_type=Path), help="Data set of pairs.")
@click.option(
    "--photos", multiple=True, type=click.Path(path_type=Path), help="Data set of photos; many."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option(
    "--people", type=click.Path(path_type=Path), help="people.json of an earlier such folder."
)
@SEEN
@click.option("--held-out", default=0.12, show_default=True, help="Share of pairs' people.")
@click.option("--seed", default=0, show_default=True, help="Chooses the people held out.")
@click.option("--most-per-person", default=8, show_default=True, help="Photos of one person.")
@click.option("--stored-share", default=0.15, show_default=True, help="Of photos, with drawings.")
@click.option("--quality", default=76, show_default=True, help="WebP quality; 100 is lossless.")
def adapter(
    pairs: Path,
    photos: tuple[Path, ...],
    out: Path,
    people: Path | None,
    seen: tuple[Path, ...],
    held_out: float,
    seed: int,
    most_per_person: int,
    stored_share: float,
    quality: int,
) -> None:
    """Join data sets that `forensic dataset teach` has seen, for `forensic train adapter`.

    People of the pairs are held out by a hash of who they are: half of them choose among the
    weights of a training, the others are for reports. Photos that may show one of them
    under another name are left out.
    """
    if not photos:
        raise InputError("Give at least one data set of photos with --photos.")
    plan = AdapterPlan(held_out, seed, most_per_person, stored_share, quality)
    outcome = build_adapter_data(pairs, photos, out, plan, people=people, seen=seen)
    for what, count in sorted(outcome.items()):
        click.echo(f"{what}: {count}")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    click.echo(f"{out}: {size / 2**20:.1f} MiB")
