"""`forensic serve --demo`: a whole service with people who do not exist, ready to be tried.

Everything lies in one folder; nothing is fetched, and no real person is in it. Figures of such a
service say nothing about real people.
"""

from __future__ import annotations

import io
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from pydantic import SecretStr

from db.migrations import upgrade
from db.models import Role
from db.session import open_engine, session_scope
from forensic.cases import accounts, galleries
from forensic.cases.actor import command_actor
from forensic.cli.demonstration_people import draw_people
from forensic.jobs.queue import JobQueue, enqueue_committed
from forensic.settings import Settings
from forensic.storage import FileStore
from forensic.web.server import serve
from forensic.weights.embedders import DEFAULT

PEOPLE = {
    "ines": ("Ines Vestigator", Role.INVESTIGATOR),
    "erik": ("Erik Xaminer", Role.EXAMINER),
    "erna": ("Erna Xaminer", Role.EXAMINER),
    "ella": ("Ella Xaminer", Role.EXAMINER),
    "gala": ("Gala Manager", Role.GALLERY_MANAGER),
    "auda": ("Auda Uditor", Role.AUDITOR),
    "adam": ("Adam Ministrator", Role.ADMINISTRATOR),
}
"""Example users: three examiners, because two who differ need a third."""
GALLERY = "phantoms"
STOP_S = 30
"""How long the worker may take to finish what it has in hand."""


def demonstrate(folder: Path | None, *, people: int, started: float) -> None:
    """Make a service with example users and a gallery of phantoms, and run it until stopped.

    Args:
        folder: Where everything is kept; a new temporary folder if None.
        people: How many phantoms the gallery holds.
        started: `time.monotonic()` when the command began; it is told how long that is ago.
    """
    home = (folder or Path(tempfile.mkdtemp(prefix="forensic-demo-"))).absolute()
    settings = Settings(
        mode="development", secret_key=SecretStr(secrets.token_hex(32)), data_folder=home
    )
    upgrade(settings.records_url)
    with _worker(settings):
        passwords = add_people(settings)
        click.echo(f"Drawing {people} people who do not exist …", err=True)
        archive = draw_people(home / "sketches", people=people)
        fill_gallery(settings, archive)
        serve(settings, on_ready=lambda: _tell(settings, passwords, time.monotonic() - started))


def add_people(settings: Settings) -> dict[str, str]:
    """Add the example users and return their one-time passwords; those who are there are reset."""
    engine, actor = open_engine(settings.records_url), command_actor()
    passwords = {}
    with session_scope(engine) as session:
        known = {
            person.user.name: person
            for person in accounts.list_users(session, actor, limit=100).rows
        }
        for name, (full_name, role) in PEOPLE.items():
            if name in known:
                _, passwords[name] = accounts.reset_password(session, actor, known[name].user.id)
            else:
                _, passwords[name] = accounts.add_user(
                    session, actor, name=name, full_name=full_name, roles=[role]
                )
    engine.dispose()
    return passwords


def fill_gallery(settings: Settings, archive: io.BytesIO) -> None:
    """Make the gallery and have the worker import the photos; one that is there is left alone."""
    engine, actor = open_engine(settings.records_url), command_actor()
    queue, store = JobQueue(settings.jobs_url), FileStore(settings.store_url)
    with session_scope(engine) as session:
        if any(g.name == GALLERY for g in galleries.list_galleries(session, actor).rows):
            return
        gallery = galleries.create_gallery(
            session,
            actor,
            name=GALLERY,
            purpose="People who do not exist, to try the service with.",
            embedder=DEFAULT,
        )
        galleries.request_import(
            session,
            actor,
            gallery.id,
            archive=archive,
            store=store,
            max_bytes=settings.import_bytes_max,
        )
    enqueue_committed(queue, session)
    engine.dispose()


@contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    """Run a worker beside the block, as the same program with the same settings."""
    secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
    environment = {
        **os.environ,
        "FORENSIC_MODE": settings.mode,
        "FORENSIC_SECRET_KEY": secret,
        "FORENSIC_DATA_FOLDER": str(settings.data_folder),
        "FORENSIC_WORKER_PORT": str(settings.worker_port),
    }
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "worker"]
    process = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.terminate()  # a second time: at once, whatever it has in hand
            process.wait()


def _tell(settings: Settings, passwords: dict[str, str], seconds: float) -> None:
    click.echo(f"\nReady at http://{settings.address}:{settings.port} after {seconds:.0f} s\n")
    for name, password in passwords.items():
        _, role = PEOPLE[name]
        click.echo(f"  {name:6} {role.replace('_', ' '):16} one-time password {password}")
    click.echo(f"\nSketches to upload: {settings.data_folder / 'sketches'}")
    click.echo("These people do not exist; figures about them say nothing about real people.")
    click.echo("Stop with Ctrl-C.", err=True)
