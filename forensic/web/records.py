"""What a request works with: settings, database, file store, queue, and its one transaction."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import Response, current_app, g
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.session import session_scope
from forensic.jobs.queue import JobQueue, enqueue_committed
from forensic.settings import Settings
from forensic.storage import FileStore
from forensic.weights.store import choose_weights_folder

EXTENSION = "forensic"


@dataclass(frozen=True)
class Service:
    """What one web process holds for all its requests."""

    settings: Settings
    engine: Engine
    store: FileStore
    queue: JobQueue


class _Undone(Exception):
    """Makes the transaction of a refused request roll back."""


def service() -> Service:
    """Return what this web process holds."""
    return cast(Service, current_app.extensions[EXTENSION])


def settings() -> Settings:
    """Return the settings of this web process."""
    return service().settings


def store() -> FileStore:
    """Return the file store."""
    return service().store


def weights() -> Path:
    """Return the folder of fetched weights."""
    return choose_weights_folder(os.environ)


def session() -> Session:
    """Return the request's database session; its transaction begins at the first call."""
    if "records_session" not in g:
        scope = session_scope(service().engine)
        g.records_session = g.records_stack.enter_context(scope)
    return cast(Session, g.records_session)


@contextmanager
def transaction() -> Iterator[list[Response]]:
    """Commit what the block did in `session()`, then hand its jobs to the queue.

    An error rolls everything back, and so does an answer of status 400 or more: a view may catch
    a refusal and show its form again without keeping half of what was asked. The block puts its
    answer into the list that it is given.
    """
    answers: list[Response] = []
    try:
        with ExitStack() as stack:
            g.records_stack = stack
            yield answers
            if any(answer.status_code >= 400 for answer in answers):
                raise _Undone
    except _Undone:
        return
    finally:
        done = g.pop("records_session", None)
    if done is not None:
        enqueue_committed(service().queue, done)
