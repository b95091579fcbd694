"""`forensic serve`: the web of the case service."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.command()
@click.option(
    "--demo",
    "is_demo",
    is_flag=True,
    help="Start web and worker with a gallery of synthetic people and example users.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where --demo keeps everything; a new temporary folder unless given.",
)
@click.option(
    "--people", default=40, show_default=True, type=click.IntRange(4, 10_000), help="For --demo."
)
def serve(is_demo: bool, folder: Path | None, people: int) -> None:
    """Answer browsers and programs until stopped; settings are listed in deploy/README.md.

    Jobs wait until `forensic worker` runs. Make the database first: forensic db upgrade.
    """
    started = time.monotonic()

    from db.migrations import check
    from forensic.settings import load_settings
    from forensic.web.server import serve as serve_web

    if is_demo:
        from forensic.cli.demonstration import demonstrate

        demonstrate(folder, people=people, started=started)
        return
    settings = load_settings()
    check(settings.records_url)
    where = f"http://{settings.address}:{settings.port}"
    serve_web(settings, on_ready=lambda: click.echo(f"Ready at {where}", err=True))
