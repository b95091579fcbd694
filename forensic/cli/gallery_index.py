"""`forensic gallery search|verify|rebuild`: the published index of a gallery on record."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.cli.gallery_answers import describe_recall, show_answers
from forensic.cli.places import places_options

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.models import Gallery
    from db.queries.subjects import SubjectFilter
    from forensic.cli.places import Places
    from forensic.jobs.galleries.probing import Probe
    from forensic.jobs.galleries.verifying import Damage

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("name")
@click.argument("images", nargs=-1, required=True, type=_FILE)
@places_options
@click.option("-k", "k", default=20, show_default=True, help="Entries in each list, 1 to 2048.")
@click.option(
    "--generator",
    help="IMAGES are sketches, compared so: best (several ways, weighed as learnt on other "
    "people), adapter, csi-line, csi-grayscale, csi-color, or none, the sketch as it is. Without "
    "this option, IMAGES are photos.",
)
@click.option("--sex", help="Only persons of this sex, as the operator gave it.")
@click.option("--born", metavar="FROM-TO", help="Only persons born in these years, e.g. 1960-1975.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="Likewise.")
@click.option("--known-only", is_flag=True, help="Leave out persons whose metadata is silent.")
@click.option("--every-photo", is_flag=True, help="List photos, not persons by their best photo.")
@click.option("--approximate", is_flag=True, help="Use the approximate index; it may miss photos.")
@click.option("--purpose", default="", help="Why, for the audit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N, or cuda:all.")
def search(
    name: str,
    images: tuple[Path, ...],
    places: Places,
    k: int,
    generator: str | None,
    sex: str | None,
    born: str | None,
    attributes: tuple[str, ...],
    known_only: bool,
    every_photo: bool,
    approximate: bool,
    purpose: str,
    as_json: bool,
    device: str,
) -> None:
    """Search gallery NAME with IMAGES: files, or folders of them.

    A list is an investigative lead, never an identification. Every search is written to the audit.
    """
    from forensic.cases.actor import command_actor
    from forensic.jobs.galleries.image_search import Question, search_images
    from forensic.jobs.galleries.searching import GallerySearcher

    engine = places.engine()
    (gallery,) = _galleries(engine, name)
    wanted = _filter(sex, born, attributes, known_only=known_only)
    question = Question(k, wanted, not every_photo, approximate, purpose)
    answered = search_images(
        engine,
        GallerySearcher(engine, places.galleries, device=device),
        gallery,
        _probes(gallery, images, generator, device=device),
        question,
        actor=command_actor(),
    )
    show_answers(gallery, answered, as_json=as_json)


@click.command()
@click.argument("name", required=False)
@places_options
@click.option("--fix", is_flag=True, help="Mend what can be mended.")
def verify(name: str | None, places: Places, fix: bool) -> None:
    """Compare the records of gallery NAME, or of all, with index and files, byte by byte.

    Exits with 1 where damage is found and not mended. With --fix, damaged vectors are taken back
    from the index where it is whole; photos whose vector is nowhere are taken out, to be imported
    again; the index is built again where it differs from the records. A photo's file that is gone
    comes back when the photo is imported again.
    """
    from forensic.cases.actor import command_actor
    from forensic.jobs.galleries import verifying
    from forensic.jobs.galleries.kept_files import find_lost_files

    engine, left = places.engine(), 0
    for gallery in _galleries(engine, name):
        if fix:
            done = verifying.mend(engine, places.galleries, gallery.id, actor=command_actor())
            _tell_damage(gallery.name, done.found, is_mended=True)
            if done.restored:
                click.echo(f"{gallery.name}: {len(done.restored)} vectors taken from the index")
            for photo_id in done.removed:
                click.echo(f"{gallery.name}: photo {photo_id} taken out; import it again")
            damage = done.left
        else:
            damage = verifying.verify(engine, places.galleries, gallery.id)
        _tell_damage(gallery.name, damage)
        lost = list(find_lost_files(engine, places.store(), gallery.id))
        for file in lost:
            told = f"file of photo {file.photo_id} ({file.source}): {file.told}"
            click.echo(f"{gallery.name}: damage: {told}", err=True)
        left += len(damage) + bool(lost)
        if not damage and not lost:
            click.echo(f"{gallery.name}: records, index and files agree")
    if name is None:
        for path in verifying.stray_galleries(engine, places.galleries):
            click.echo(f"{path}: belongs to no gallery on record; delete it by hand", err=True)
            left += 1
    if left:
        remedy = "" if fix else " Run it again with --fix."
        raise click.ClickException(f"{left} kinds of damage.{remedy}")


@click.command()
@click.argument("name")
@places_options
@click.option("--ivf-pq", "with_ivf_pq", is_flag=True, help="Add an approximate index (IVF-PQ).")
@click.option("--lists", type=int, help="Inverted lists; by default 4 times the root of the rows.")
@click.option("--probe", type=int, help="Lists that a search looks into; a sixteenth by default.")
@click.option("--code-bytes", type=int, help="Bytes of a row; an eighth of the dimension.")
def rebuild(
    name: str,
    places: Places,
    with_ivf_pq: bool,
    lists: int | None,
    probe: int | None,
    code_bytes: int | None,
) -> None:
    """Build the index of gallery NAME anew from the records, and publish it.

    The exact index is always built. Recall of the approximate one is measured against it.
    """
    from db.session import session_scope
    from forensic.cases import audit
    from forensic.cases.actor import command_actor
    from forensic.gallery.ivf_pq import IvfPq
    from forensic.jobs.galleries.projection import Plan, publish

    if not with_ivf_pq and (lists or probe or code_bytes):
        raise click.UsageError("--lists, --probe and --code-bytes belong to --ivf-pq.")
    engine = places.engine()
    (gallery,) = _galleries(engine, name)
    ivf_pq = IvfPq(lists, code_bytes, probe) if with_ivf_pq else None
    done = publish(engine, places.galleries, gallery.id, rebuild=True, plan=Plan(ivf_pq))
    with session_scope(engine) as session:
        audit.record(
            session,
            command_actor(),
            audit.Tag.INDEX_BUILT,
            gallery_id=gallery.id,
            generation_id=done.generation_id,
            photo_count=done.photo_count,
        )
    click.echo(f"{name}: generation {done.number} with {done.photo_count} photos is published.")
    if done.measured_recall is not None:
        click.echo(f"Approximate index: {describe_recall(done.measured_recall)}.")


def _galleries(engine: Engine, name: str | None) -> list[Gallery]:
    """Return the gallery of that name, or all."""
    from db.models import Gallery
    from db.queries.galleries import gallery_ids, get_gallery
    from db.queries.rows import get_row
    from db.session import session_scope

    with session_scope(engine, read_only=True) as session:
        if name is not None:
            return [get_gallery(session, name)]
        return [get_row(session, Gallery, gallery_id) for gallery_id in gallery_ids(session)]


def _filter(
    sex: str | None, born: str | None, attributes: tuple[str, ...], *, known_only: bool
) -> SubjectFilter | None:
    from db.queries.subjects import SubjectFilter

    if not (sex or born or attributes):
        return None
    try:
        first, last = (int(year) if year else None for year in (born or "-").split("-"))
        pairs = dict(attribute.split("=", 1) for attribute in attributes)
    except ValueError as error:
        raise click.UsageError(
            "--born takes two years, such as 1960-1975 or 1960-, and --attribute NAME=VALUE."
        ) from error
    return SubjectFilter(sex, (first, last), pairs, keep_unknown=not known_only)


def _probes(
    gallery: Gallery, images: tuple[Path, ...], generator: str | None, *, device: str
) -> Iterator[list[Probe]]:
    from forensic.cases.intake import read_policy
    from forensic.embedders.registry import create_embedder
    from forensic.errors import IndexMismatch
    from forensic.faces.detect import FaceDetector
    from forensic.identification.methods import create_method
    from forensic.jobs.galleries.examine import FaceExaminer
    from forensic.jobs.galleries.probing import (
        images_of,
        lenient,
        probe_photos,
        probe_sketches,
    )
    from forensic.runtime import choose_device
    from forensic.weights.store import choose_weights_folder

    computing = choose_device("cuda" if device == "cuda:all" else device)
    weights = choose_weights_folder(os.environ)
    embedder = create_embedder(gallery.embedder, device=computing, weights=weights)
    if embedder.weights_sha256 != gallery.weights_sha256:
        raise IndexMismatch(
            f"Gallery {gallery.name!r} was embedded with weights {gallery.weights_sha256} of "
            f"{gallery.embedder}; here are {embedder.weights_sha256}. Fetch those weights, or "
            "import the photos into a new gallery."
        )
    found, detector = images_of(images), FaceDetector(str(computing))
    if generator is None:
        policy = lenient(read_policy(gallery.policy))
        examiner = FaceExaminer(detector, template=embedder.template, policy=policy)
        return probe_photos(found, embedder=embedder, examiner=examiner)
    method = create_method(generator, embedder=embedder, device=computing, weights=weights)
    return probe_sketches(found, method=method, detector=detector)


def _tell_damage(name: str, found: Sequence[Damage], *, is_mended: bool = False) -> None:
    from forensic.jobs.galleries.verifying import MEANING

    for damage in found:
        told = f" ({damage.told})" if damage.told else ""
        state = "found, now mended or listed below" if is_mended else "damage"
        click.echo(
            f"{name}: {state}: {damage.kind}: {damage.count}: {MEANING[damage.kind]}{told}",
            err=not is_mended,
        )
