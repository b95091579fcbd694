"""`create_app`: puts the parts of the web together, and nothing else."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response

from db.migrations import check
from db.session import open_engine
from forensic.jobs.queue import JobQueue
from forensic.settings import Settings
from forensic.storage import FileStore
from forensic.web import (
    api,
    auth,
    errors,
    health,
    idempotency,
    limits,
    logs,
    metrics,
    pages,
    records,
    security,
)


class Application(Flask):
    """A Flask app in which each request is one transaction, done once per idempotency key."""

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Response:
        """Answer a request, and commit what it did unless the answer is a refusal."""

        def view() -> Response:
            answer: Response = self.make_response(
                super(Application, self).dispatch_request(*args, **kwargs)
            )
            return answer

        with records.transaction() as answers:
            answers.append(idempotency.answer_once(view))
        return answers[0]


def create_app(settings: Settings) -> Flask:
    """Return the web application for one process.

    Raises:
        SettingsError: There is no secret key.
        SchemaMismatch: The database is absent, older or newer than this code.
        Unavailable: The database cannot be reached.
    """
    check(settings.records_url)
    engine = open_engine(settings.records_url)
    app = Application("forensic.web")
    app.extensions[records.EXTENSION] = records.Service(
        settings, engine, FileStore(settings.store_url), JobQueue(settings.jobs_url)
    )
    # The order matters: an id first, then who is asking, how much they may send, whether the
    # request is truly theirs, and how often they have asked.
    logs.register(app, settings)
    security.register(app, settings)
    auth.register(app)
    security.bound_uploads(app)
    auth.protect(app)
    limits.register(app, settings)
    errors.register(app)
    metrics.register(app)
    app.register_blueprint(health.blueprint)
    api.register(app)
    pages.register(app)
    return app
