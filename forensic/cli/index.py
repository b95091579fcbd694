"""`forensic index`: a saved gallery index from a folder of photos."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.cli.progress import show_progress
from forensic.weights.embedders import DEFAULT

if TYPE_CHECKING:
    from forensic.identification.enrol import Enrolment

REJECTED = "rejected.csv"


@click.command()
@click.argument("photos", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--embedder", default=DEFAULT, show_default=True, help="Name or path.")
@click.option(
    "--subject-from",
    type=click.Choice(["file", "folder"]),
    default="file",
    show_default=True,
    help="Whether each photo, or each folder of photos, is one person.",
)
@click.option("--allow-many", is_flag=True, help="Take the heaviest of several faces.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
def index(
    photos: Path, out: Path, embedder: str, subject_from: str, allow_many: bool, device: str
) -> None:
    """Embed every photo below PHOTOS and save a searchable index in the folder OUT.

    Photos without one usable face are listed with the reason in OUT/rejected.csv.
    """
    from forensic.embedders.registry import create_embedder
    from forensic.faces.detect import FaceDetector
    from forensic.files import atomic_write
    from forensic.gallery.store import check_target
    from forensic.identification.enrol import FaceEnroller
    from forensic.identification.gallery import build_gallery, photos_of_folder
    from forensic.runtime import choose_device
    from forensic.weights.store import choose_weights_folder

    check_target(out)
    found = photos_of_folder(photos, subject_from=subject_from)
    chosen = choose_device(device)
    enroller = FaceEnroller(
        embedder=create_embedder(
            embedder, device=chosen, weights=choose_weights_folder(os.environ)
        ),
        detector=FaceDetector(str(chosen)),
        allow_many=allow_many,
    )
    with show_progress("Photos", len(found)) as on_photos:
        built, enrolment = build_gallery(found, enroller=enroller, on_photos=on_photos)
    built.save(out)
    with atomic_write(out / REJECTED, "w") as file:
        file.write(_rejections(enrolment))
    click.echo(
        f"{len(enrolment.photos)} photos enrolled with {enroller.embedder.name}, "
        f"{len(enrolment.rejected)} rejected (see {REJECTED}): {out}"
    )


def _rejections(enrolment: Enrolment) -> str:
    from forensic.reports.tables import safe_cell

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo_id", "reason"])
    writer.writerows((safe_cell(r.photo_id), safe_cell(r.reason)) for r in enrolment.rejected)
    return text.getvalue()
