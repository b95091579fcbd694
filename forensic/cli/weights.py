"""`forensic weights`: list, fetch, verify and describe trained weights."""

from __future__ import annotations

import os
from pathlib import Path

import click

from forensic.cli.progress import show_progress
from forensic.errors import InputError, WeightsError
from forensic.files import read_json, sha256_of_file
from forensic.weights.card import render_card
from forensic.weights.catalogue import WeightsEntry, load_catalogue
from forensic.weights.store import (
    BUNDLED,
    choose_weights_folder,
    fetch_weights,
    find_weights,
    locate_weights,
)


@click.group()
def weights() -> None:
    """List, fetch and check trained weights.

    Fetched weights lie in the folder that FORENSIC_WEIGHTS names, else in forensic/weights of
    the user's data folder.
    """


@weights.command("list")
def list_() -> None:
    """List every known weights file and whether it is on this machine."""
    folder = choose_weights_folder(os.environ)
    catalogue = load_catalogue()
    width = max(map(len, catalogue)) + 2
    for name, entry in catalogue.items():
        click.echo(f"{name:{width}}{_state(entry, folder):10}{_size(entry):>10}  {entry.task}")
    click.echo(f"Folder of fetched weights: {folder}")


@weights.command()
@click.argument("name")
@click.option("--sha256", help="Hash to demand where the catalogue records none.")
def fetch(name: str, sha256: str | None) -> None:
    """Download the weights NAME, check them, and keep them only if intact."""
    entry = load_catalogue()[name]
    folder = choose_weights_folder(os.environ)
    with show_progress(name, entry.bytes or None) as on_bytes:
        path = fetch_weights(name, folder=folder, sha256=sha256, on_bytes=on_bytes)
    click.echo(f"{path}\nLicence: {entry.licence}")


@weights.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Check the SHA-256 of the weights NAMES, or of all that are on this machine."""
    folder = choose_weights_folder(os.environ)
    catalogue = load_catalogue()
    chosen = names or [n for n, e in catalogue.items() if locate_weights(e, folder=folder)]
    problems = []
    for name in chosen:
        try:
            path = find_weights(name, folder=folder)
        except WeightsError as error:
            problems.append(name)
            click.echo(f"{name}: {error}")
        else:
            click.echo(f"{name}: intact, SHA-256 {sha256_of_file(path)}")
    if problems:
        raise WeightsError(f"{len(problems)} of {len(chosen)} failed: {', '.join(problems)}.")


@weights.command()
@click.argument("name")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="JSON of measured results; by default the one beside the weights.",
)
def card(name: str, results: Path | None) -> None:
    """Print the model card of the weights NAME, in Markdown."""
    entry = load_catalogue()[name]
    beside = results or BUNDLED / f"{name}.results.json"
    if results and not results.is_file():
        raise InputError(f"There is no file {results}.")
    measured = read_json(beside) if beside.is_file() else {}
    click.echo(render_card(entry, measured), nl=False)


def _state(entry: WeightsEntry, folder: Path) -> str:
    path = locate_weights(entry, folder=folder)
    if path is None:
        return "missing"
    return "bundled" if path.parent == BUNDLED else "fetched"


def _size(entry: WeightsEntry) -> str:
    return f"{entry.bytes / 1e6:.1f} MB" if entry.bytes else "-"
