"""Where photos for a data set come from, and who is on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensic.errors import DataFolderError, InputError
from forensic.images.io import list_images


@dataclass(frozen=True)
class Source:
    """One folder of photos and who is on them.

    A photo in a sub-folder belongs to the person that the sub-folder is named after; a photo at
    the top is a person of its own.

    Attributes:
        name: Prefix of keys and people, e.g. `lfw`.
        folder: Where the photos lie.
        people: Use only these people; None uses all.
    """

    name: str
    folder: Path
    people: frozenset[str] | None = None

    def photos(self) -> Iterator[tuple[str, str, Path]]:
        """Yield key, person and path of each photo.

        Raises:
            DataFolderError: The folder is missing, empty, or shows none of the people.
        """
        n = 0
        for path in list_images(self.folder):
            relative = path.relative_to(self.folder)
            person = relative.parts[0] if len(relative.parts) > 1 else path.stem
            if self.people is None or person in self.people:
                n += 1
                key = relative.with_suffix("").as_posix()
                yield f"{self.name}/{key}", f"{self.name}/{person}", path
        if not n:
            raise DataFolderError(
                f"{self.folder} shows none of the {len(self.people or ())} people."
            )


def read_people(path: Path) -> frozenset[str]:
    """Read a list of people: the first word of each line that has a second one (LFW's format).

    Raises:
        DataFolderError: The file cannot be read or names nobody.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(f"List of people {path} cannot be read: {error}.") from error
    people = frozenset(words[0] for words in map(str.split, lines) if len(words) > 1)
    if not people:
        raise DataFolderError(f"{path} names nobody; expected lines of a name and a number.")
    return people


def parse_sources(photos: tuple[str, ...], people: tuple[str, ...]) -> list[Source]:
    """Return the sources that `NAME=FOLDER` and `NAME=FILE` describe.

    Args:
        photos: Name and folder of each.
        people: Name of a source and the list of its people that are used.

    Raises:
        InputError: An entry is malformed, or a list is of no source.
        DataFolderError: A list cannot be read or names nobody.
    """
    lists = {}
    for entry in people:
        name, equals, path = entry.partition("=")
        if not equals:
            raise InputError(f"--people {entry!r}: write NAME=FILE with the name of a source.")
        lists[name] = read_people(Path(path))
    sources = []
    for entry in photos:
        name, equals, path = entry.partition("=")
        if not equals:
            raise InputError(f"--photos {entry!r}: write NAME=FOLDER, e.g. lfw=/data/lfw.")
        sources.append(Source(name, Path(path), lists.pop(name, None)))
    if lists:
        raise InputError(f"--people names {sorted(lists)}, but --photos has no such source.")
    return sources
