"""Where pairs of photo and drawing come from, and which would spoil a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensic.errors import DataFolderError, InputError
from pipelines.benchmark.folders import Pair, pair_folders, quote

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


def parse_sources(
    folders: tuple[str, ...], ends: tuple[str, ...], splits: tuple[str, ...]
) -> list[PairSource]:
    """Return the sources that the options of `forensic dataset pairs` name.

    Args:
        folders: `NAME=FOLDER` of each source.
        ends: `NAME=TEXT` where the person is the stem up to a text.
        splits: `NAME=SPLIT` where all pairs go into one split.

    Raises:
        InputError: An option is not of that form, or names a source or split that is not there.
    """
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
