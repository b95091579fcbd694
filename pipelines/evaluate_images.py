"""`forensic evaluate`: how near synthesized faces come to the true photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray

from forensic.errors import InputError
from forensic.faces.align import align_face
from forensic.faces.detect import FaceDetector
from forensic.faces.landmarks import aligned_landmarks
from forensic.faces.search import Kind, find_face
from forensic.files import write_json
from forensic.generators.registry import SKETCH_TO_PHOTO, LoadedGenerator, load_generator
from forensic.identification.inverter import SketchInverter
from forensic.images.io import write_image
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.metrics.correlation import correlation
from forensic.metrics.psnr import psnr
from forensic.metrics.ssim import ssim
from forensic.runtime import choose_device, provenance, seed_everything
from forensic.stats.bootstrap import bootstrap_mean
from forensic.values import RGB, Landmarks
from pipelines.benchmark.folders import pair_folders
from pipelines.benchmark.locating import read_image
from pipelines.published import CSI_BESIDE, CSI_TABLE_3

METRICS = {"psnr": psnr, "ssim": ssim, "r": correlation}
UNITS = {"psnr": "dB", "ssim": "", "r": ""}
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Faces:
    """Sketches and true photos of one geometry, and who is on them.

    Attributes:
        sketches: (N, H, W, 1 or 3) uint8, in the generator's style.
        photos: (N, H, W, 3) uint8.
        subjects: N identifiers; the bootstrap draws people, not pictures.
    """

    sketches: Images
    photos: Images
    subjects: list[str]


def faces_of_dataset(
    folder: Path, generator: LoadedGenerator, *, split: str, limit: int | None
) -> Faces:
    """Return the faces of one split with sketches in the generator's style and frame.

    Raises:
        DataFolderError: Not a finished data set, or an empty split.
        HashMismatch: A file was changed since it was written.
        InputError: The data set is aligned otherwise than the generator's training faces were.
    """
    from forensic.datasets.pairs import SketchPhotoPairs

    frame = asdict(generator.frame)
    pairs = SketchPhotoPairs(folder, split=split, style=generator.style, limit=limit, **frame)
    if pairs.geometry != generator.geometry:
        raise InputError(
            f"{folder} is aligned as {pairs.geometry!r}, but {generator.name} works in "
            f"{generator.geometry!r}. Pack it again with --geometry {generator.geometry}."
        )
    return Faces(pairs.sketches, pairs.photos, [record.subject for record in pairs.records])


def invert_pairs(
    photos: Path,
    sketches: Path,
    generator: LoadedGenerator,
    *,
    aligned: str | None,
    allow_many: bool,
    device: torch.device,
) -> tuple[Faces, Images]:
    """Return hand-drawn pairs as a generator of faces sees them, and what it makes of them.

    Drawings are mended as `forensic identify` does, see `read_image`.

    Args:
        photos: Folder of photos.
        sketches: Folder of sketches of the same names.
        generator: From sketch to photo.
        aligned: Geometry in which all images lie; None finds the faces.
        allow_many: Take the most central large face of an image that shows several.
        device: Where the generator is.

    Raises:
        DataFolderError: The folders' files do not match.
        LandmarksError: An image does not have the size of the geometry.
        ImageError: A file is not an image that can be used.
        InputError: No face is found in an image; the message names it.
    """
    pairs = pair_folders(photos, sketches)
    find = _finder(aligned, device, allow_many=allow_many)
    drawings = [read_image(pair.sketch) for pair in pairs]
    points = [
        find(drawing, pair.sketch.name, "sketch")
        for drawing, pair in zip(drawings, pairs, strict=True)
    ]
    made = SketchInverter(generator, device=device).invert(drawings, points)
    true = []
    for pair in pairs:
        photo = read_image(pair.photo)
        five = find(photo, pair.photo.name, "photo")
        true.append(generator.frame.apply(align_face(photo, five, generator.geometry)[0]))
    seen = [face.source for face in made if face.source is not None]
    faces = Faces(np.stack(seen), np.stack(true), [pair.probe_id for pair in pairs])
    return faces, np.stack([face.image for face in made])


def _finder(
    aligned: str | None, device: torch.device, *, allow_many: bool
) -> Callable[[RGB, str, Kind], Landmarks]:
    """Return what finds the five points of an image, given its name and kind."""
    detector = None if aligned else FaceDetector(str(device))

    def find(image: RGB, name: str, kind: Kind) -> Landmarks:
        try:
            if detector is None:
                return aligned_landmarks(image, str(aligned))
            return find_face(image, detector, kind=kind, allow_many=allow_many).landmarks
        except InputError as error:
            raise InputError(f"{name}: {error}") from error

    return find


def synthesize(generator: LoadedGenerator, sketches: Images, *, device: torch.device) -> Images:
    """Return the machine-made faces (N, H, W, 3) uint8 of sketches in the generator's style."""
    made = []
    with torch.inference_mode():
        for first in range(0, len(sketches), 32):
            batch = images_to_tensor(sketches[first : first + 32]).to(device)
            made.append(tensor_to_images(generator.network(batch)))
    return np.concatenate(made)


def score_faces(made: Images, faces: Faces) -> dict[str, NDArray[np.float64]]:
    """Return PSNR, SSIM and R of each machine-made face, (N,) each."""
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    for first in range(0, len(made), 64):
        ours = images_to_tensor(made[first : first + 64])
        true = images_to_tensor(faces.photos[first : first + 64])
        for name, metric in METRICS.items():
            values[name] += metric(ours, true).double().tolist()
    return {name: np.array(column) for name, column in values.items()}


def score(made: Images, faces: Faces, *, seed: int) -> dict[str, Any]:
    """Return mean, bootstrap error and interval of PSNR, SSIM and R."""
    clusters = np.array(faces.subjects)
    return {
        name: asdict(bootstrap_mean(column, clusters=clusters, seed=seed))
        for name, column in score_faces(made, faces).items()
    }


def write_sheet(path: Path, made: Images, faces: Faces, *, n_faces: int, seed: int) -> None:
    """Write rows of sketch, machine-made face and true photo of randomly drawn faces."""
    from forensic.datasets.packed import contact_sheet

    chosen = np.sort(np.random.default_rng(seed).permutation(len(made))[:n_faces])
    rows: list[Images] = []
    for group in np.array_split(chosen, max(1, len(chosen) // 8)):
        rows += [kind[group] for kind in (faces.sketches, made, faces.photos)]
    widest = max(len(row) for row in rows)
    blank = np.full_like(faces.photos[:1], 255)
    padded = [[*row, *blank.repeat(widest - len(row), axis=0)] for row in rows]
    write_image(path, contact_sheet(padded))


@click.command()
@click.option("--generator", required=True, help="A trained generator, e.g. csi-line.")
@click.option("--data", type=click.Path(path_type=Path), help="Packed data set; or give pairs.")
@click.option("--split", default="test", show_default=True, help="Which faces of --data.")
@click.option("--limit", type=int, help="Only the first so many of --data.")
@click.option("--photos", type=click.Path(path_type=Path), help="Photos of hand-drawn pairs.")
@click.option("--sketches", type=click.Path(path_type=Path), help="Sketches of those pairs.")
@click.option(
    "--aligned", help="Geometry in which those pairs lie, e.g. cufs; else faces are found."
)
@click.option(
    "--allow-many", is_flag=True, help="In an image of several people take the most central one."
)
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet (PNG).")
@click.option("--n-faces", default=32, show_default=True, help="Faces on the contact sheet.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write the figures.")
@click.option("--seed", default=0, show_default=True)
@click.option("--device", default="auto", show_default=True)
def evaluate(
    generator: str,
    data: Path | None,
    split: str,
    limit: int | None,
    photos: Path | None,
    sketches: Path | None,
    aligned: str | None,
    allow_many: bool,
    sheet: Path | None,
    n_faces: int,
    out: Path | None,
    seed: int,
    device: str,
) -> None:
    """Print PSNR, SSIM and R of machine-made faces beside the paper's.

    Errors are bootstrap standard errors over people. The paper's CUHK and AR figures come from six
    showcase sketches each.
    """
    seed_everything(seed)
    where = choose_device(device)
    loaded = load_generator(generator, where)
    if loaded.direction != SKETCH_TO_PHOTO:
        raise InputError(
            f"{generator} draws photos; what it draws is measured by `forensic benchmark papers`."
        )
    if data:
        faces = faces_of_dataset(data, loaded, split=split, limit=limit)
        made = synthesize(loaded, faces.sketches, device=where)
    elif photos and sketches:
        faces, made = invert_pairs(
            photos, sketches, loaded, aligned=aligned, allow_many=allow_many, device=where
        )
    else:
        raise InputError("Give --data FOLDER, or --photos FOLDER with --sketches FOLDER.")
    figures = score(made, faces, seed=seed)
    click.echo(
        f"{generator} ({loaded.style} sketches), {len(made)} faces of "
        f"{len(set(faces.subjects))} people"
    )
    for name, figure in figures.items():
        mean, error = figure["mean"], figure["standard_error"]
        paper = _beside(generator, name, is_simulated=data is not None)
        click.echo(f"  {name.upper():4} {mean:.4f} ± {error:.4f} {UNITS[name]}{paper}")
    if sheet:
        write_sheet(sheet, made, faces, n_faces=n_faces, seed=seed)
    if out:
        facts = {
            "generator": generator,
            "weights_sha256": loaded.weights_sha256,
            "style": loaded.style,
            "n_faces": len(made),
            "figures": figures,
        }
        write_json(out, {**facts, "provenance": provenance()})


def _beside(generator: str, metric: str, *, is_simulated: bool) -> str:
    if is_simulated:
        rows = {"LFW, 11,990 faces": CSI_BESIDE.get(generator, {})}
    else:
        rows = {
            f"{name.upper()}, 6": row
            for name, row in CSI_TABLE_3.items()
            if generator == "csi-line"
        }
    shown = [
        f"{name}: {row[metric][0]:.4f} ± {row[metric][1]:.4f}" for name, row in rows.items() if row
    ]
    return f"   paper ({'; '.join(shown)})" if shown else ""
