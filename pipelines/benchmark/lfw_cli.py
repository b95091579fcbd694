"""`forensic benchmark lfw` and `verify`: commands on Labeled Faces in the Wild."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pipelines.benchmark.cli import EMBEDDER_HELP, FOLDER


@click.command()
@click.option("--lfw", type=FOLDER, required=True, help="LFW: one folder for each person.")
@click.option(
    "--protocol",
    type=click.Choice(["same-photo", "cross-photo"]),
    default="same-photo",
    show_default=True,
    help="Is the mate the very photo that was sketched, or another one of the person?",
)
@click.option("--people", type=FOLDER, help="List of people to search for, e.g. peopleDevTest.txt.")
@click.option(
    "--methods",
    default="raw-line,csi-line,raw-pencil-gray,csi-grayscale,raw-pencil-color,csi-color",
    show_default=True,
    help="raw-STYLE embeds the simulated sketch, a generator's name its inversion.",
)
@click.option("--embedder", default="sketchface", show_default=True, help=EMBEDDER_HELP)
@click.option(
    "--gallery-index",
    type=FOLDER,
    help="Index of `forensic index`, made with the same embedder: its people fill the gallery "
    "instead of those in the folder who are not searched for.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--no-faces", is_flag=True, help="Show no picture of a person on the page.")
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--out", type=FOLDER, required=True, help="Folder for the report.")
def lfw(
    lfw: Path,
    protocol: str,
    people: Path | None,
    methods: str,
    embedder: str,
    gallery_index: Path | None,
    device: str,
    no_faces: bool,
    cache: Path | None,
    out: Path,
) -> None:
    """Search for simulated sketches of LFW photos among all of LFW (CSI, Fig. 5)."""
    from pipelines.benchmark.lfw import LFWOptions, benchmark_lfw

    options = LFWOptions(
        lfw=lfw,
        protocol=protocol,
        people=people,
        methods=tuple(name.strip() for name in methods.split(",")),
        embedder=embedder,
        device=device,
        show_faces=not no_faces,
        gallery_index=gallery_index,
    )
    click.echo(benchmark_lfw(options, out=out, cache=cache, environment=os.environ))


@click.command()
@click.option("--lfw", type=FOLDER, required=True, help="LFW: one folder for each person.")
@click.option(
    "--pairs", "pairs_file", type=FOLDER, help="LFW's pairs.txt.  [default: in the LFW folder]"
)
@click.option("--embedder", default="sketchface", show_default=True, help="Name or TOML.")
@click.option(
    "--gallery-index",
    type=FOLDER,
    help="Index of `forensic index` over the same folder, made with the same embedder: its vectors "
    "are taken, and no photo is read.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--out", type=FOLDER, required=True, help="Folder for the report.")
def verify(
    lfw: Path,
    pairs_file: Path | None,
    embedder: str,
    gallery_index: Path | None,
    device: str,
    cache: Path | None,
    out: Path,
) -> None:
    """Measure an embedder on photos by LFW's ten-fold pairs protocol."""
    from pipelines.benchmark.verify import benchmark_verify

    click.echo(
        benchmark_verify(
            lfw,
            pairs_file,
            embedder=embedder,
            device=device,
            gallery_index=gallery_index,
            out=out,
            cache=cache,
            environment=os.environ,
        )
    )
