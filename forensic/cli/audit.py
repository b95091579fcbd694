"""`forensic audit`: prove that the audit is as it was written."""

from __future__ import annotations

import click

from forensic.cli.database import url_option


@click.group(short_help="Prove that the audit is as it was written.")
def audit() -> None:
    """Prove that the audit is as it was written."""


@audit.command()
@url_option
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="NUMBER:HASH",
    help="A place of the chain as noted earlier; may be given several times.",
)
def verify(url: str, anchors: tuple[str, ...]) -> None:
    """Read the whole audit and name every event that was edited, removed or moved.

    Prints the last event as NUMBER:HASH. Note it where those who administer the database cannot
    write, and give it as --anchor next time: only that shows an audit cut short or written anew.
    Exits with 1 where anything is wrong.
    """
    from db.migrations import check
    from db.queries.audit import Anchor
    from db.queries.audit import verify as verify_audit
    from db.session import open_engine, session_scope

    noted = [Anchor.parse(anchor) for anchor in anchors]
    check(url)
    with session_scope(open_engine(url), read_only=True) as session:
        result = verify_audit(session, anchors=noted)
    for fault in result.faults:
        click.echo(f"{fault.kind}: {fault.detail}", err=True)
    if not result.is_sound:
        raise click.ClickException(f"The audit of {result.count} events has been tampered with.")
    click.echo(f"{result.count} events, all as they were written.")
    if not noted:
        click.echo("Without --anchor, an audit cut short or written anew cannot be told.")
    if result.head is not None:
        click.echo(f"Anchor to note elsewhere: {result.head}")
