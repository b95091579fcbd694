"""`forensic demo`: parse, call one function, print."""

from __future__ import annotations

from pathlib import Path

import click

from forensic.weights.embedders import DEFAULT


@click.command()
@click.option(
    "--persons", type=click.IntRange(2, 9999), default=300, show_default=True,
    help="Phantoms in the gallery.",
)  # fmt: skip
@click.option(
    "--probes", type=click.IntRange(1, 9999), default=60, show_default=True,
    help="How many of them are sketched, in every style.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Who they are.")
@click.option(
    "--embedder", default=DEFAULT, show_default=True, help="Name, or TOML of an ONNX network."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("forensic-demo"), show_default=True,
    help="Folder for the page and the report.",
)  # fmt: skip
def demo(persons: int, probes: int, seed: int, embedder: str, device: str, out: Path) -> None:
    """Show the whole system on rendered persons who do not exist, offline.

    Renders a gallery, sketches some of its persons from another picture, inverts the sketches,
    searches, and writes a table and a page. The figures say nothing about real people.
    """
    import os

    from pipelines.demo.run import DemoOptions, run_demo

    options = DemoOptions(
        n_persons=persons, n_probes=probes, seed=seed, embedder=embedder, device=device
    )
    click.echo(run_demo(options, out=out, environment=os.environ))
