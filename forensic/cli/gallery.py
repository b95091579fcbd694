"""`forensic gallery`: galleries on record; `gallery_index` has search and upkeep of the index."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.cli.boundary import LazyGroup
from forensic.cli.places import places_options
from forensic.weights.embedders import DEFAULT

if TYPE_CHECKING:
    from forensic.cli.places import Places
    from forensic.embedders.embedder import Embedder
    from forensic.jobs.galleries.catalog import GalleryInfo

_ELSEWHERE = "forensic.cli.gallery_index"

gallery = LazyGroup(
    "gallery",
    help="Make galleries on record, import photos, search them, take people out.\n\n"
    "A list is a lead, never an identification.",
    short_help="Keep galleries on record: import, search, remove, verify.",
    lazy={
        "import": (
            "forensic.cli.gallery_import:import_photos",
            "Import photos from a folder, a ZIP or a CSV manifest.",
        ),
        "search": (f"{_ELSEWHERE}:search", "Rank the people of a gallery by sketches or photos."),
        "verify": (f"{_ELSEWHERE}:verify", "Compare records, files and index; mend with --fix."),
        "rebuild": (f"{_ELSEWHERE}:rebuild", "Make the index of a gallery anew."),
    },
)


@gallery.command()
@click.argument("name")
@places_options
@click.option("--embedder", default=DEFAULT, show_default=True, help="Name or path; for good.")
@click.option("--purpose", default="", help="What it may be searched for.")
@click.option("--min-face-px", type=int, default=40, show_default=True, help="Least face width.")
@click.option(
    "--min-sharpness", type=float, default=0.06, show_default=True, help="Least sharpness; 0: any."
)
@click.option(
    "--several-faces",
    type=click.Choice(["reject", "heaviest"]),
    default="reject",
    show_default=True,
    help="What to do where several faces compete.",
)
@click.option(
    "--originals",
    type=click.Choice(["copy", "reference"]),
    default="copy",
    show_default=True,
    help="Copy photos into the file store, or leave them where they are.",
)
@click.option("--keep-crops", is_flag=True, help="Keep the aligned faces too.")
def create(
    name: str,
    places: Places,
    embedder: str,
    purpose: str,
    min_face_px: int,
    min_sharpness: float,
    several_faces: str,
    originals: str,
    keep_crops: bool,
) -> None:
    """Make the empty gallery NAME, bound to one embedder for good."""
    from forensic.cases.actor import command_actor
    from forensic.cases.intake import read_policy
    from forensic.jobs.galleries import catalog

    policy = read_policy(
        {
            "min_face_px": min_face_px,
            "min_sharpness": min_sharpness,
            "several_faces": several_faces,
            "originals": originals,
            "keep_crops": keep_crops,
        }
    )
    made = catalog.create(
        places.engine(),
        name,
        embedder=load_embedder(embedder, device="cpu"),
        policy=policy,
        actor=command_actor(),
        purpose=purpose,
    )
    click.echo(f"Gallery {made.name!r} made, for the embedder {made.embedder}.")


@gallery.command("list")
@places_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_all(places: Places, as_json: bool) -> None:
    """List all galleries with the number of photos in each."""
    from forensic.jobs.galleries.catalog import describe_all

    found = describe_all(places.engine())
    if as_json:
        click.echo(json.dumps([_plain(info) for info in found], indent=2))
        return
    for info in found:
        click.echo(
            f"{info.name}\t{info.photos} photos\t{info.subjects} people\t{info.embedder}\t"
            f"{_index_state(info)}"
        )
    if not found:
        click.echo("There is no gallery; make one with: forensic gallery create NAME", err=True)


@gallery.command()
@click.argument("name")
@places_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name: str, places: Places, as_json: bool) -> None:
    """Tell what the gallery NAME is bound to, asks of photos, and holds."""
    from forensic.jobs.galleries.catalog import describe

    found = describe(places.engine(), name)
    if as_json:
        click.echo(json.dumps(_plain(found), indent=2))
        return
    for key, value in _plain(found).items():
        told = json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
        click.echo(f"{key}: {told}")
    click.echo(f"index: {_index_state(found)}")


@gallery.command()
@click.argument("name")
@click.argument("subjects", nargs=-1, required=True)
@places_options
@click.option("--expunge", "for_good", is_flag=True, help="For good: they can never come back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, subjects: tuple[str, ...], places: Places, for_good: bool, yes: bool) -> None:
    """Take the people SUBJECTS, by your own identifiers, out of the gallery NAME.

    Without --expunge their photos may be imported again later. With it, photos, vectors and crops
    are deleted, a tombstone and a proof in the audit stay, and imports refuse them from then on.
    """
    from forensic.cases.actor import command_actor
    from forensic.jobs.galleries import catalog, removal

    engine = places.engine()
    found = catalog.find(engine, name)
    if not yes:
        how = "for good" if for_good else "until they are imported again"
        click.confirm(f"Take {len(subjects)} people out of {name!r} {how}?", abort=True)
    act = removal.expunge if for_good else removal.remove_subject
    for subject in subjects:
        gone = act(
            engine,
            found.id,
            subject,
            store=places.store(),
            folder=places.galleries,
            actor=command_actor(),
        )
        click.echo(
            f"{subject}: {len(gone.photo_ids)} photos taken out, {len(gone.deleted_files)} files "
            "deleted"
        )


@gallery.command()
@click.argument("name")
@click.argument("out", type=click.Path(path_type=Path))
@places_options
def export(name: str, out: Path, places: Places) -> None:
    """Write the gallery NAME into the empty folder OUT: photos, manifest and rejected items.

    The manifest can be imported again.
    """
    from forensic.cases.actor import command_actor
    from forensic.jobs.galleries.catalog import find
    from forensic.jobs.galleries.export import export_gallery

    engine = places.engine()
    written = export_gallery(
        engine, find(engine, name), out, store=places.store(), actor=command_actor()
    )
    files = "with their files" if written.has_files else "by reference, without their files"
    click.echo(f"{written.photos} photos exported {files}: {out}")


def load_embedder(name: str, *, device: str) -> Embedder:
    """Return the embedder of that name, on that device.

    Raises:
        UnknownNameError: There is none.
        WeightsError: Its weights are missing or wrong.
        DeviceError: The device is not there.
    """
    from forensic.embedders.registry import create_embedder
    from forensic.runtime import choose_device
    from forensic.weights.store import choose_weights_folder

    weights = choose_weights_folder(os.environ)
    return create_embedder(name, device=choose_device(device), weights=weights)


def _plain(info: GalleryInfo) -> dict[str, object]:
    values = asdict(info)
    return {**values, "id": str(info.id), "created_at": info.created_at.isoformat()}


def _index_state(info: GalleryInfo) -> str:
    if info.generation is None:
        return "not published yet"
    if info.generation_revision == info.revision:
        return f"generation {info.generation}, up to date"
    return f"generation {info.generation}, behind the records"
