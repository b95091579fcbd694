from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from db.models import Gallery, Job, User
from db.queries.users import find_user
from db.session import open_engine, session_scope
from forensic.cases.passwords import is_password
from forensic.cli.demonstration import PEOPLE, add_people, fill_gallery
from forensic.settings import Settings
from tests.support.service import png
from tests.support.web import settings_of


@pytest.fixture
def settings(migrated_sqlite: Path, tmp_path: Path) -> Settings:
    shutil.copy(migrated_sqlite, tmp_path / "service.db")
    return settings_of(tmp_path)


def archive() -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as photos:
        photos.writestr("phantom-000.png", png())
    buffer.seek(0)
    return buffer


def test_passwords_told_at_each_start_are_those_that_work(settings: Settings) -> None:
    first, second = add_people(settings), add_people(settings)
    assert set(first) == set(second) == set(PEOPLE)
    with session_scope(open_engine(settings.records_url), read_only=True) as session:
        assert len(session.scalars(select(User)).all()) == len(PEOPLE)
        user = find_user(session, "ines")
        assert user is not None
        assert is_password(second["ines"], user.password_digest)
        assert not is_password(first["ines"], user.password_digest)


def test_gallery_is_imported_by_the_worker_and_only_once(settings: Settings) -> None:
    for _ in range(2):
        fill_gallery(settings, archive())
    with session_scope(open_engine(settings.records_url), read_only=True) as session:
        assert [gallery.name for gallery in session.scalars(select(Gallery))] == ["phantoms"]
        assert [job.kind for job in session.scalars(select(Job))] == ["import"]
