"""`forensic identify`: rank a gallery by a sketch."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensic.cli.progress import show_progress
from forensic.weights.embedders import DEFAULT, tell_drawing

if TYPE_CHECKING:
    import torch

    from forensic.embedders.embedder import Embedder
    from forensic.faces.detect import FaceDetector
    from forensic.gallery.index import GalleryIndex
    from forensic.identification.hand import Hand
    from forensic.identification.identifier import RankList
    from forensic.values import RGB, Candidate, Landmarks

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("sketch", type=FILE)
@click.option(
    "--gallery", type=FILE, required=True, help="Folder of photos, or an index of `forensic index`."
)
@click.option("-k", "k", default=20, show_default=True, help="Persons in the list.")
@click.option(
    "--generator",
    default="best",
    show_default=True,
    help="How the sketch is compared: best adds up several ways with weights learnt on other "
    "people; adapter encodes it, csi-line, csi-grayscale and csi-color invert it first, none "
    "embeds it as it is.",
)
@click.option("--also", type=FILE, multiple=True, help="Another sketch of the person; repeatable.")
@click.option(
    "--same-hand",
    type=FILE,
    help="Folder of sketches of other people by the same artist (at least 3, no photos needed): "
    "what they share is taken out of the sketch.",
)
@click.option(
    "--embedder",
    help="Name or path. For best the photos of a folder are drawn as well; plain:NAME leaves them "
    f"as they are.  [default: that of the index; {DEFAULT} for a folder]",
)
@click.option("--landmarks", type=FILE, help="JSON of five points, where no face is found.")
@click.option("--aligned", help="The sketch lies in a known geometry, e.g. cufs (200×250).")
@click.option("--photos", type=FILE, help="Folder of the gallery's photos, for the page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--out", type=FILE, help="Write an HTML page.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
def identify(
    sketch: Path,
    gallery: Path,
    k: int,
    generator: str,
    also: tuple[Path, ...],
    same_hand: Path | None,
    embedder: str | None,
    landmarks: Path | None,
    aligned: str | None,
    photos: Path | None,
    as_json: bool,
    out: Path | None,
    device: str,
) -> None:
    """Rank the persons of a gallery by how much they resemble SKETCH.

    The list is an investigative lead, never an identification.
    """
    from forensic.identification.identifier import Identifier
    from forensic.identification.methods import create_method
    from forensic.runtime import choose_device
    from forensic.weights.store import choose_weights_folder

    chosen = choose_device(device)
    drawing = _read_sketch(sketch)
    points = _landmarks_of(drawing, landmarks, aligned, device=str(chosen))
    more = [
        (image, _landmarks_of(image, None, aligned, device=str(chosen)))
        for image in map(_read_sketch, also)
    ]
    weights = choose_weights_folder(os.environ)
    judge = _choose_embedder(embedder, gallery, generator, device=chosen, weights=weights)
    hand = _read_hand(same_hand, aligned, device=str(chosen)) if same_hand else None
    method = create_method(generator, embedder=judge, device=chosen, weights=weights, hand=hand)
    index = _open_gallery(gallery, judge, device=str(chosen))
    identifier = Identifier(method=method, index=index)
    ranked = identifier.identify(drawing, landmarks=points, k=k, more=more)
    if out:
        _write_page(out, ranked, drawing, photos or gallery)
    click.echo(_as_json(ranked) if as_json else _as_text(ranked))


def _read_sketch(path: Path) -> RGB:
    """Return a sketch as dark lines on evenly lit paper; what was mended is told."""
    from forensic.images.io import load_image
    from forensic.sketches.normalise import normalise_sketch

    normal = normalise_sketch(load_image(path), name=str(path))
    if normal.steps:
        click.echo(f"{path}: sketch {', '.join(normal.steps)}", err=True)
    return normal.image


def _read_hand(folder: Path, aligned: str | None, *, device: str) -> Hand:
    """Return what else the artist drew; sketches that cannot be used are told."""
    from forensic.identification.hand import read_hand

    hand = read_hand(folder, lambda drawing: _landmarks_of(drawing, None, aligned, device=device))
    for name, reason in hand.rejected.items():
        click.echo(f"Not used of {folder}: {name}: {reason}", err=True)
    return hand


def _landmarks_of(
    drawing: RGB, file: Path | None, aligned: str | None, *, device: str
) -> Landmarks:
    """Return the sketch's landmarks from the one source that the user chose."""
    from forensic.faces.landmarks import aligned_landmarks, load_landmarks
    from forensic.faces.search import find_face

    if file and aligned:
        raise click.UsageError("Give --landmarks or --aligned, not both.")
    if file:
        return load_landmarks(file)
    if aligned:
        return aligned_landmarks(drawing, aligned)
    return find_face(drawing, _detector(device), kind="sketch").landmarks


@functools.cache
def _detector(device: str) -> FaceDetector:
    """Return the detector for all drawings of a run; its networks are read once."""
    from forensic.faces.detect import FaceDetector

    return FaceDetector(device)


def _choose_embedder(
    asked: str | None, gallery: Path, generator: str, *, device: torch.device, weights: Path
) -> Embedder:
    """Return the embedder asked for, drawing photos for `best`; without one, the gallery's."""
    from forensic.embedders.registry import choose_gallery_embedder, create_embedder
    from forensic.gallery.store import MANIFEST

    name = asked or _embedder_of(gallery)
    if asked and not (gallery / MANIFEST).is_file():
        name = choose_gallery_embedder(asked, [generator], weights=weights)
        if name != asked:
            click.echo(tell_drawing(asked), err=True)
    return create_embedder(name, device=device, weights=weights)


def _embedder_of(gallery: Path) -> str:
    """Return the name of the embedder that made an index; for a folder, what is best."""
    from forensic.files import read_json
    from forensic.gallery.store import MANIFEST

    try:
        return str(read_json(gallery / MANIFEST)["embedder_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT  # no index, or a damaged one, of which opening it will tell


def _open_gallery(gallery: Path, embedder: Embedder, *, device: str) -> GalleryIndex:
    """Return a saved index, or one built now from a folder of photos."""
    from forensic.gallery.index import GalleryIndex
    from forensic.gallery.store import MANIFEST
    from forensic.identification.enrol import FaceEnroller
    from forensic.identification.gallery import build_gallery, photos_of_folder

    if (gallery / MANIFEST).is_file():
        return GalleryIndex.load(
            gallery,
            expect_embedder=embedder.name,
            expect_weights_sha256=embedder.weights_sha256,
            device=device,
        )
    found = photos_of_folder(gallery)
    enroller = FaceEnroller(embedder=embedder, detector=_detector(device))
    with show_progress("Photos", len(found)) as on_photos:
        index, enrolment = build_gallery(
            found, enroller=enroller, device=device, on_photos=on_photos
        )
    for rejection in enrolment.rejected:
        click.echo(f"Not enrolled: {rejection.photo_id}: {rejection.reason}", err=True)
    return index


def _write_page(out: Path, ranked: RankList, drawing: RGB, photos: Path) -> None:
    from forensic.errors import InputError
    from forensic.files import atomic_write
    from forensic.images.io import load_image
    from forensic.reports.identification import render_rank_list
    from forensic.runtime import provenance

    def picture_of(candidate: Candidate) -> RGB | None:
        try:
            return load_image(photos / candidate.photo_id)
        except InputError:
            return None

    page = render_rank_list(
        ranked, sketch=drawing, picture_of=picture_of, provenance=_flat(provenance())
    )
    with atomic_write(out, "w") as file:
        file.write(page)


def _flat(facts: dict[str, Any]) -> dict[str, str]:
    libraries = facts.pop("libraries")
    facts["libraries"] = ", ".join(f"{name} {version}" for name, version in libraries.items())
    facts["command"] = " ".join(facts["command"])
    return {key: str(value) for key, value in facts.items()}


def _as_json(ranked: RankList) -> str:
    from forensic.runtime import provenance

    document = {
        "notice": ranked.notice,
        "gallery": ranked.gallery_size,
        "photos": ranked.n_photos,
        "candidates": [asdict(candidate) for candidate in ranked.candidates],
        **({"contributions": ranked.contributions} if ranked.contributions else {}),
        "provenance": {**ranked.provenance, **provenance()},
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _as_text(ranked: RankList) -> str:
    lines = [ranked.notice, "", f"{'rank':>4}  {'similarity':>10}  person (photo)"]
    lines += [
        f"{c.rank:>4}  {c.similarity:>10.3f}  {c.subject_id} ({c.photo_id})"
        for c in ranked.candidates
    ]
    if ranked.contributions:
        lines += ["", "What each part adds, in log10 odds of a pair; not the odds after a search:"]
        lines += [
            f"{c.rank:>4}  " + "  ".join(f"{name} {value:+.2f}" for name, value in parts.items())
            for c, parts in zip(ranked.candidates, ranked.contributions, strict=True)
        ]
    if known := ranked.provenance.get("same_hand_sketches"):
        lines.append(
            f"What {known} sketches by the same artist share was taken out first; odds were fitted "
            "without that and do not hold here."
        )
    lines.append(f"Gallery: {ranked.gallery_size} persons, {ranked.n_photos} photos.")
    return "\n".join(lines)
