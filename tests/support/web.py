"""A web application on a database of its own, and people who ask it things."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Role, User
from db.queries.users import create_api_key, create_user
from db.session import open_engine, session_scope
from forensic.cases.actor import Actor
from forensic.cases.passwords import digest_password
from forensic.cases.sessions import digest_token
from forensic.jobs.queue import JobQueue
from forensic.settings import Settings
from forensic.storage import FileStore
from forensic.web import records
from forensic.web.app import create_app

PASSWORD = "correct horse battery staple"
DIGEST = digest_password(PASSWORD)


def settings_of(folder: Path, **changes: Any) -> Settings:
    """Return settings for a service in a folder that holds `service.db`."""
    values: dict[str, Any] = {
        "mode": "development",
        "secret_key": SecretStr("0123456789" * 4),
        "data_folder": folder,
        "database_url": f"sqlite:///{folder}/service.db",
        "requests_per_minute": 100_000,
        "sign_ins_per_minute": 100_000,
    }
    return Settings(**{**values, **changes})


class Site:
    """A running application with its database and files.

    Args:
        settings: Of the service; its database must have all tables.
        app: An application to use again with these settings: making one takes time. Its rate
            limits stay those it was made with.
    """

    def __init__(self, settings: Settings, app: Flask | None = None) -> None:
        self.settings = settings
        self.app = app or create_app(settings)
        if app is not None:
            app.extensions[records.EXTENSION] = records.Service(
                settings,
                open_engine(settings.records_url),
                FileStore(settings.store_url),
                JobQueue(settings.jobs_url),
            )

    @property
    def engine(self) -> Engine:
        """The application's database."""
        service: records.Service = self.app.extensions[records.EXTENSION]
        return service.engine

    @property
    def store(self) -> FileStore:
        """The application's files."""
        service: records.Service = self.app.extensions[records.EXTENSION]
        return service.store

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction beside the application's."""
        with session_scope(self.engine) as session:
            yield session

    def add_person(self, name: str, *roles: Role, must_change: bool = False) -> User:
        """Add someone who may sign in with `PASSWORD`."""
        with self.session() as session:
            return create_user(
                session,
                name=name,
                full_name=name.title(),
                password_digest=DIGEST,
                roles=roles,
                must_change_password=must_change,
            )

    def with_key(self, user: User, *roles: Role) -> FlaskClient:
        """Return a client that shows a bearer key of a person."""
        prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        key = f"fk_{prefix}_{secret}"
        with self.session() as session:
            create_api_key(
                session,
                user_id=user.id,
                label="test",
                prefix=prefix,
                digest_sha256=digest_token(key),
                scopes=sorted(roles),
            )
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return client

    def signed_in(self, name: str) -> FlaskClient:
        """Return a client with a browser session, which shows its CSRF token."""
        client = self.app.test_client()
        answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 204, answer.json
        token = client.get("/api/v1/session").json["csrf_token"]  # type: ignore[index]
        client.environ_base["HTTP_X_CSRF_TOKEN"] = token
        return client


def actor_for(user: User, *roles: Role) -> Actor:
    """Return a person as services see them."""
    return Actor(user.id, user.name, frozenset(roles), request_id="request-1")
