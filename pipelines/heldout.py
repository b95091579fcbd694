"""`forensic dataset heldout`: the people whom no adapter saw, as folders for the benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from forensic.errors import DataFolderError, InputError
from forensic.images.io import list_images
from pipelines.adapter_data import PEOPLE, SEEN, People

PARTS = ("fit", "report", "all")


def arrange_heldout(
    data: Path,
    sources: Mapping[str, Path],
    out: Path,
    *,
    part: str = "all",
    seen: Sequence[Path] = (),
) -> dict[str, int]:
    """Link one pair of each held-out person into `out/SOURCE/{photos,sketches}`.

    Half of the people, chosen by a hash, are for fitting (`fit`), the others for reports
    (`report`), so that what is fitted on held-out people is not reported on the same.

    Args:
        data: A folder of `forensic dataset adapter`.
        sources: Folder with `photos` and `sketches` of each source.
        out: Folder to make.
        part: One of `PARTS`.
        seen: Packed data sets of pairs that another part of the system was trained on, such as
            the embedder; whoever is in the training part of one is left out here.

    Returns:
        People of each source.

    Raises:
        DataFolderError: `data` names nobody of a source, or a file is missing.
    """
    people = People.read(data / PEOPLE)
    known = people.seen_in(seen)
    counts = {}
    for source, folder in sources.items():
        chosen: dict[str, str] = {}
        for key in sorted(people.held_out):
            name, _, stem = key.partition("/")
            person = people.of_pair[key]
            is_new = name == source and person not in known
            if is_new and part in ("all", people.half(key)):
                chosen.setdefault(person, stem)
        if not chosen:
            raise DataFolderError(f"{data} holds out nobody of {source!r}.")
        for kind in ("photos", "sketches"):
            files = {path.stem: path for path in list_images(folder / kind)}
            _link(files, sorted(chosen.values()), out / source / kind)
        counts[source] = len(chosen)
    return counts


def read_sources(entries: Sequence[str]) -> dict[str, Path]:
    """Return folders by name from `NAME=FOLDER` options.

    Raises:
        InputError: An option is not of that form.
    """
    sources = {}
    for entry in entries:
        name, equals, folder = entry.partition("=")
        if not equals or not name or not folder:
            raise InputError(f"--pairs {entry!r}: write NAME=FOLDER, e.g. fs2k=/data/fs2k.")
        sources[name] = Path(folder)
    return sources


def _link(files: Mapping[str, Path], stems: list[str], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for stem in stems:
        if stem not in files:
            raise DataFolderError(f"There is no image {stem!r} for {out}. Check --pairs.")
        link = out / files[stem].name
        if not link.exists():
            link.symlink_to(files[stem].resolve())


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--pairs", "folders", multiple=True, required=True, metavar="NAME=FOLDER")
@click.option("--part", type=click.Choice(PARTS), default="all", show_default=True)
@SEEN
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of links.")
def heldout(
    data: Path, folders: tuple[str, ...], part: str, seen: tuple[Path, ...], out: Path
) -> None:
    """Arrange the people held out of DATA for `forensic benchmark pairs` and `fusion`.

    DATA is a folder of `forensic dataset adapter`; --pairs are the sources it was made from.
    """
    sources = read_sources(folders)
    for name, count in arrange_heldout(data, sources, out, part=part, seen=seen).items():
        click.echo(f"{name}: {count} people in {out / name}")
