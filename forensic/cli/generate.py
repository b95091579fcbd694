"""`forensic generate`: machine-made faces from sketches."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("sketches", metavar="SKETCH...", type=FILE, nargs=-1, required=True)
@click.option(
    "--generator",
    default="csi-line",
    show_default=True,
    help="Name of a trained generator, or a .safetensors file of `forensic train`.",
)
@click.option("--out", type=FILE, required=True, help="PNG for one sketch, folder for several.")
@click.option("--landmarks", type=FILE, help="JSON of five points, for drawings without a face.")
@click.option("--aligned", help="The sketches lie in a known geometry, e.g. cufs (200×250).")
@click.option("--face-only", is_flag=True, help="Leave the sketch out; the label stays.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
def generate(
    sketches: tuple[Path, ...],
    generator: str,
    out: Path,
    landmarks: Path | None,
    aligned: str | None,
    face_only: bool,
    device: str,
) -> None:
    """Make a face from each SKETCH, beside the sketch and labelled machine-made.

    Any drawing will do whose five landmarks are found or given: --landmarks holds them for one
    sketch, or for several by file name. A generator from photo to sketch takes photos instead.
    The picture has the generator's own resolution; a .json beside it says how it was made.
    """
    from forensic.errors import InputError
    from forensic.generators.registry import load_generator
    from forensic.identification.generate import create_landmark_finder, generate_pictures
    from forensic.identification.inverter import SketchInverter
    from forensic.runtime import choose_device, provenance

    where = choose_device(device)
    loaded = load_generator(generator, where)
    made, refused = generate_pictures(
        sketches,
        out,
        generator=loaded,
        inverter=SketchInverter(loaded, device=where),
        find_landmarks=create_landmark_finder(
            sketches, file=landmarks, aligned=aligned, device=str(where), kind=loaded.source_kind
        ),
        face_only=face_only,
        provenance=provenance(),
    )
    for item in made:
        mended = f" (sketch {', '.join(item.steps)})" if item.steps else ""
        click.echo(f"{item.target}{mended}")
    if refused:
        raise InputError(
            f"{len(refused)} of {len(sketches)} could not be used: {'; '.join(refused)}"
        )
