"""`forensic benchmark papers`: every table of the papers beside what was measured here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from forensic.errors import InputError


def parse_data(entries: Sequence[str]) -> dict[str, Path]:
    """Return packed data sets by name from NAME=FOLDER entries.

    Raises:
        InputError: An entry has another form.
    """
    data = {}
    for entry in entries:
        name, equals, folder = entry.partition("=")
        if not (name and equals and folder):
            raise InputError(f"--data {entry!r}: write NAME=FOLDER, e.g. cuhk=work/cuhk.")
        data[name] = Path(folder)
    return data


@click.command()
@click.option("--only", multiple=True, help="A paper (csi, fcn, …) or table; repeatable.")
@click.option(
    "--weights",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of trained weights, run folders included; repeatable.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Packed data set: cuhk and ar (cufs-250), cuhk-portrait (portrait-256), lfw (csi-96), "
    "dfp and dfp-30 (of `forensic dataset boundaries`); repeatable.",
)
@click.option(
    "--features", type=click.Path(path_type=Path), help="Network for FID and inception score."
)
@click.option("--speed", is_flag=True, help="Measure run times as well; wants an idle machine.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for papers.md, papers.json and contact sheets.",
)
def papers(
    only: tuple[str, ...],
    weights: tuple[Path, ...],
    data: tuple[str, ...],
    features: Path | None,
    speed: bool,
    device: str,
    out: Path | None,
) -> None:
    """Print every table of the five papers beside our own figures.

    Weights are found by the name of their recipe. A row that cannot be computed says why.
    """
    from forensic.runtime import choose_device
    from pipelines.papers.registry import benchmark_papers
    from pipelines.papers.tables import Materials

    materials = Materials(
        weights=weights,
        data=parse_data(data),
        device=choose_device(device),
        features=features,
        speed=speed,
        sheets=out / "sheets" if out else None,
    )
    click.echo(benchmark_papers(materials, only=only, out=out))
