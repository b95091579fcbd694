"""`forensic gallery import`: photos from a folder, a ZIP or a CSV manifest into a gallery."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.cli.gallery_intake import open_intake
from forensic.cli.places import places_options

if TYPE_CHECKING:
    from forensic.cases.intake import ImportSource
    from forensic.cli.places import Places
    from forensic.jobs.galleries.pace import Progress


@click.command("import")
@click.argument("name")
@click.argument("source", type=click.Path(path_type=Path))
@places_options
@click.option(
    "--subject-from",
    type=click.Choice(["file", "folder"]),
    default="file",
    show_default=True,
    help="Whether each file, or each folder of files, is one person.",
)
@click.option(
    "--photos",
    type=click.Path(path_type=Path),
    help="Folder that a manifest's paths start from; its own folder by default.",
)
@click.option("--rejected", type=click.Path(path_type=Path), help="Write rejected items as CSV.")
@click.option("--embedder", help="Path of the gallery's embedder, where it is a file of yours.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--processes", type=click.IntRange(0), help="That find faces; as the cores allow by default."
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Work in processes of this machine, or on a Ray cluster, on its GPUs with --device cuda.",
)
@click.option("--ray-address", help="host:port of the cluster's head, or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_photos(
    name: str,
    source: Path,
    places: Places,
    subject_from: str,
    photos: Path | None,
    rejected: Path | None,
    embedder: str | None,
    device: str,
    processes: int | None,
    engine: str,
    ray_address: str | None,
    as_json: bool,
) -> None:
    """Import the photos of SOURCE into the gallery NAME.

    SOURCE is a folder, a ZIP archive, or a CSV manifest with the columns path and subject_id, and
    optionally sex, birth_year and attributes of your own. An import that was stopped, killed or
    ran out of disk goes on when the same command is run again.
    """
    from forensic.cases.actor import command_actor
    from forensic.cases.rejected import rejected_csv
    from forensic.files import atomic_write
    from forensic.jobs.galleries.catalog import find
    from forensic.jobs.galleries.starting import import_here

    asked = source_of(source, subject_from=subject_from, root=photos)
    records = places.engine()
    found = find(records, name)
    chosen = embedder or found.embedder
    opened = open_intake(chosen, engine, ray_address, device=device, processes=processes)
    with opened as intake, show_import() as on_progress:
        done = import_here(
            records,
            found.id,
            asked,
            intake=intake,
            store=places.store(),
            folder=places.galleries,
            actor=command_actor(),
            on_progress=on_progress,
        )
    if rejected is not None:
        from db.session import session_scope

        with atomic_write(rejected, "w") as file, session_scope(records, read_only=True) as session:
            file.writelines(rejected_csv(session, done.job.id))
    counts = {state: done.job.counts.get(state, 0) for state in _STATES}
    if as_json:
        told = {"job_id": str(done.job.id), "state": done.job.state.value, "total": done.job.total}
        click.echo(json.dumps({**told, **counts, "resumed": done.was_resumed}))
        return
    click.echo(
        f"{done.job.total} items: {counts['indexed']} indexed, {counts['duplicate']} duplicates, "
        f"{counts['rejected']} rejected{f' (see {rejected})' if rejected else ''}"
    )


_STATES = ("indexed", "duplicate", "rejected")


def source_of(path: Path, *, subject_from: str, root: Path | None) -> ImportSource:
    """Return what an import of `path` is asked to do, told by what lies there.

    Raises:
        InputError: A root is given for something that is no manifest.
    """
    from forensic.cases.intake import read_source

    kind = "folder"
    if not path.is_dir():
        kind = "manifest" if path.suffix.lower() in (".csv", ".tsv", ".txt") else "zip"
    values = {
        "kind": kind,
        "path": path.absolute(),
        "root": root.absolute() if root else None,
        "subject_from": subject_from,
    }
    return read_source({"source": values})


@contextmanager
def show_import() -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows where an import is, on a terminal's standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Import", total=None)
        yield lambda progress: bar.update(
            task,
            description=describe_progress(progress),
            total=progress.total,
            completed=progress.done,
        )


def describe_progress(progress: Progress) -> str:
    """Return one line: what is done, how fast, and how long it will take.

    Example:
        >>> from forensic.jobs.galleries.pace import Progress
        >>> describe_progress(Progress("importing", 90, 30, {"rejected": 2}, 12.5, 4.8))
        'importing, 12.5/s, 0:00:05 to go, 2 rejected'
    """
    from datetime import timedelta

    parts = [progress.phase]
    if progress.items_per_s is not None:
        parts.append(f"{progress.items_per_s:.1f}/s")
    if progress.remaining_s is not None:
        parts.append(f"{timedelta(seconds=round(progress.remaining_s))} to go")
    if progress.counts.get("rejected"):
        parts.append(f"{progress.counts['rejected']} rejected")
    return ", ".join(parts)
