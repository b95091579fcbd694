"""`forensic user`: accounts, from the machine of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from forensic.cli.database import url_option

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Command = TypeVar("Command", bound=Callable[..., Any])
ROLES = ("investigator", "examiner", "gallery_manager", "auditor", "administrator")


def roles_option(*, required: bool) -> Callable[[Command], Command]:
    """Add `--role`, which may be given several times."""
    return click.option(
        "--role",
        "roles",
        type=click.Choice(ROLES),
        multiple=True,
        required=required,
        help="May be given several times.",
    )


@contextmanager
def records(url: str) -> Iterator[Session]:
    """Open one transaction on a database with the schema of this program."""
    from db.migrations import check
    from db.session import open_engine, session_scope

    check(url)
    with session_scope(open_engine(url)) as session:
        yield session


@click.group(short_help="Add people, list them, set their roles and passwords.")
def user() -> None:
    """Add people, list them, set their roles and passwords."""


@user.command()
@url_option
@click.argument("name")
@click.option("--full-name", required=True, help="As reports show it.")
@roles_option(required=True)
def add(url: str, name: str, full_name: str, roles: tuple[str, ...]) -> None:
    """Add NAME and print a one-time password, which is not kept and must be changed at first use.

    Whoever holds several roles weakens the second look that a case should get.
    """
    from db.models import Role
    from forensic.cases.accounts import add_user
    from forensic.cases.actor import command_actor

    with records(url) as session:
        held = [Role(role) for role in roles]
        _, password = add_user(session, command_actor(), name=name, full_name=full_name, roles=held)
    click.echo(f"{name} may sign in with the one-time password {password}")


@user.command("list")
@url_option
def list_people(url: str) -> None:
    """Print everybody: name, roles, whether they may sign in, and when they last did."""
    from forensic.cases.accounts import list_users
    from forensic.cases.actor import command_actor

    with records(url) as session:
        after = None
        while True:
            page = list_users(session, command_actor(), after=after, limit=100)
            for person in page.rows:
                state = "active" if person.user.is_active else "closed"
                seen = person.user.last_login_at
                last = f"last signed in {seen:%Y-%m-%d %H:%M} UTC" if seen else "never signed in"
                held = ", ".join(sorted(person.roles)) or "no role"
                click.echo(f"{person.user.name:20} {state:7} {held}; {last}")
            after = page.next_after
            if after is None:
                return


@user.command()
@url_option
@click.argument("name")
def reset(url: str, name: str) -> None:
    """Give NAME a new one-time password and end their sessions; lifts a lock."""
    from forensic.cases.accounts import find_user, reset_password
    from forensic.cases.actor import command_actor

    with records(url) as session:
        person = find_user(session, command_actor(), name)
        _, password = reset_password(session, command_actor(), person.user.id)
    click.echo(f"{name} may sign in with the one-time password {password}")


@user.command("roles")
@url_option
@click.argument("name")
@roles_option(required=False)
@click.option("--active/--closed", "is_active", default=None, help="Whether they may sign in.")
def set_roles(url: str, name: str, roles: tuple[str, ...], is_active: bool | None) -> None:
    """Make the given roles those that NAME holds; without --role only show them."""
    from db.models import Role
    from forensic.cases.accounts import find_user, update_user
    from forensic.cases.actor import command_actor

    with records(url) as session:
        person = find_user(session, command_actor(), name)
        if roles or is_active is not None:
            person = update_user(
                session,
                command_actor(),
                person.user.id,
                is_active=is_active,
                roles=[Role(role) for role in roles] if roles else None,
            )
    state = "active" if person.user.is_active else "closed"
    click.echo(f"{name} ({state}): {', '.join(sorted(person.roles)) or 'no role'}")
