"""`forensic db`: bring the database to the schema of this program, or check that it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def url_option(command: Command) -> Command:
    """Add `--url`, which may also come from the environment: a password belongs there."""
    return click.option(
        "--url",
        required=True,
        envvar="FORENSIC_DATABASE_URL",
        show_envvar=True,
        help="sqlite:///path/to/file.db or postgresql://user@host/database.",
    )(command)


@click.group(short_help="Make, bring up to date and check the database.")
def db() -> None:
    """Make, bring up to date and check the database of cases and galleries."""


@db.command()
@url_option
def upgrade(url: str) -> None:
    """Bring the database to the newest schema, making it if need be.

    One transaction: a failure leaves everything as it was. Make a backup first.
    """
    from db.migrations import upgrade as upgrade_database

    click.echo(f"The database has schema {upgrade_database(url)}.")


@db.command()
@url_option
def check(url: str) -> None:
    """Say whether the database has the schema of this program; changes nothing."""
    from db.migrations import check as check_database

    click.echo(f"The database has schema {check_database(url)}, as this program needs.")
