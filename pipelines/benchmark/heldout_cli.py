"""`forensic benchmark fusion`, `ablation`, `heldout`: commands for people whom no training saw."""

from __future__ import annotations

import os
from pathlib import Path

import click

from forensic.weights.embedders import DEFAULT
from forensic.weights.fusions import BEST
from pipelines.adapter_data import SEEN
from pipelines.benchmark.cli import FOLDER, KINDS, OWN_EMBEDDER, choose_embedder, split_methods

PARTS = "adapter,none,csi-line,csi-grayscale,csi-color"


@click.command()
@click.option(
    "--pairs", "sets", type=FOLDER, multiple=True, required=True,
    help="Folder with photos and sketches of people used for nothing else; repeatable.",
)  # fmt: skip
@click.option("--distractors", type=FOLDER, multiple=True, help="Photos of others; repeatable.")
@click.option("--methods", default=PARTS, show_default=True, help="Tried parts.")
@click.option("--embedder", default=DEFAULT, show_default=True, help="Name or TOML.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--kind", type=click.Choice(KINDS), required=True, help="How the sketches came about."
)
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--out", type=FOLDER, required=True, help="File best*.json to write.")
def fusion(
    sets: tuple[Path, ...],
    distractors: tuple[Path, ...],
    methods: str,
    embedder: str,
    device: str,
    kind: str,
    cache: Path | None,
    out: Path,
) -> None:
    """Learn how much each method counts in the method `best`.

    Use people whom no part was trained on, and none on whom `best` is then reported.
    """
    from pipelines.benchmark.fusing import FusionOptions, benchmark_fusion

    chosen = split_methods(methods)
    options = FusionOptions(sets, distractors, chosen, embedder, device, kind)
    click.echo(benchmark_fusion(options, out=out, cache=cache, environment=os.environ))


@click.command()
@click.option(
    "--pairs", "sets", type=FOLDER, multiple=True, required=True,
    help="Folder with photos and sketches of people whom no part saw; repeatable.",
)  # fmt: skip
@click.option("--distractors", type=FOLDER, multiple=True, help="Photos of others; repeatable.")
@click.option("--beside", default="none,csi-line", show_default=True, help="Single methods.")
@OWN_EMBEDDER
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--out", type=FOLDER, required=True, help="JSON file of the table.")
def ablation(
    sets: tuple[Path, ...],
    distractors: tuple[Path, ...],
    beside: str,
    embedder: str | None,
    device: str,
    cache: Path | None,
    out: Path,
) -> None:
    """Say what each part of `best` adds: with it, without it, and each method alone."""
    from pipelines.benchmark.ablation import AblationOptions, benchmark_ablation

    single = split_methods(beside)
    options = AblationOptions(sets, distractors, single, choose_embedder(embedder, BEST), device)
    click.echo(benchmark_ablation(options, out=out, cache=cache, environment=os.environ))


@click.command()
@click.argument("data", type=FOLDER)
@click.option("--pairs", "folders", multiple=True, required=True, metavar="NAME=FOLDER")
@click.option(
    "--part", type=click.Choice(["fit", "report", "all"]), default="report", show_default=True,
    help="Which half of the held-out people; the weights of `best` are learnt on `fit`.",
)  # fmt: skip
@click.option("--unseen", multiple=True, help="A source that no part was trained on; repeatable.")
@click.option("--distractors", type=FOLDER, multiple=True, help="Photos of others; repeatable.")
@click.option(
    "--methods", default="none,csi-line,adapter,best", show_default=True, help="As for pairs."
)
@OWN_EMBEDDER
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@SEEN
@click.option("--run", type=FOLDER, help="Run folder of the adapter, for the card.")
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--out", type=FOLDER, required=True, help="Folder for one report a source.")
def heldout(
    data: Path,
    folders: tuple[str, ...],
    part: str,
    unseen: tuple[str, ...],
    distractors: tuple[Path, ...],
    methods: str,
    embedder: str | None,
    device: str,
    seen: tuple[Path, ...],
    run: Path | None,
    cache: Path | None,
    out: Path,
) -> None:
    """Run `pairs` on the people held out of DATA, and write tables for a model card.

    DATA is a folder of `forensic dataset adapter`; --pairs are the sources it was made from.
    results.json is what `forensic weights card --results` takes.
    """
    from pipelines.benchmark.heldout import HeldoutOptions, benchmark_heldout
    from pipelines.heldout import read_sources

    options = HeldoutOptions(
        data=data,
        sources=read_sources(folders),
        part=part,
        unseen=unseen,
        distractors=distractors,
        methods=split_methods(methods),
        embedder=choose_embedder(embedder, methods),
        device=device,
        run=run,
        seen=seen,
    )
    click.echo(benchmark_heldout(options, out=out, cache=cache, environment=os.environ))
