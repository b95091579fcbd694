from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support.web import Site, settings_of


@pytest.fixture(scope="session")
def application(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application to be used with one database after another."""
    folder = tmp_path_factory.mktemp("application")
    shutil.copy(migrated_sqlite, folder / "service.db")
    site = Site(settings_of(folder))
    site.engine.dispose()
    return site.app


@pytest.fixture
def site(application: Flask, migrated_sqlite: Path, tmp_path: Path) -> Iterator[Site]:
    """A web application with an empty database."""
    shutil.copy(migrated_sqlite, tmp_path / "service.db")
    site = Site(settings_of(tmp_path), application)
    yield site
    site.engine.dispose()
