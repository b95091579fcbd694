"""Uploading an archive of photos: a long copy that holds nobody up."""

import io
import uuid
import zipfile
from dataclasses import replace
from typing import IO

import pytest
from flask.testing import FlaskClient

from db.models import Role, User
from db.queries.jobs import list_jobs
from db.session import open_engine, session_scope
from forensic.storage import FileStore, StoredFile
from forensic.web import records
from tests.support.factories import make_user
from tests.support.service import fill_gallery, png
from tests.support.web import Site


class WatchedStore(FileStore):
    """A store that writes to the database while it copies: refused if a transaction is open."""

    def __init__(self, url: str, database_url: str) -> None:
        super().__init__(url)
        self._database_url = database_url
        self.copied = 0

    def put_stream(self, source: IO[bytes], *, max_bytes: int | None = None) -> StoredFile:
        impatient = open_engine(self._database_url, busy_timeout_s=0.1)
        try:
            with session_scope(impatient) as session:
                make_user(session, name=uuid.uuid4().hex)
        finally:
            impatient.dispose()
        self.copied += 1
        return super().put_stream(source, max_bytes=max_bytes)


@pytest.fixture
def watched(site: Site) -> WatchedStore:
    service: records.Service = site.app.extensions[records.EXTENSION]
    store = WatchedStore(site.settings.store_url, site.settings.records_url)
    site.app.extensions[records.EXTENSION] = replace(service, store=store)
    return store


@pytest.fixture
def manager(site: Site) -> User:
    return site.add_person("mia", Role.GALLERY_MANAGER)


@pytest.fixture
def gallery_id(site: Site) -> uuid.UUID:
    with site.session() as session:
        return fill_gallery(session, FileStore(site.settings.store_url))[0].id


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as photos:
        photos.writestr("dora.png", png(9))
    return buffer.getvalue()


def upload(client: FlaskClient, path: str, **headers: str):
    form = {"subject_from": "file", "archive": (io.BytesIO(archive()), "photos.zip")}
    return client.post(path, data=form, headers=headers)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["plain", "with key"])
def test_an_archive_is_copied_before_the_transaction_begins(
    site: Site,
    manager: User,
    watched: WatchedStore,
    gallery_id: uuid.UUID,
    headers: dict[str, str],
) -> None:
    client = site.with_key(manager, Role.GALLERY_MANAGER)
    answer = upload(client, f"/api/v1/galleries/{gallery_id}/imports", **headers)
    assert answer.status_code == 202, answer.json
    assert watched.copied == 1
    with site.session() as session:
        (job,) = list_jobs(session, gallery_id=gallery_id).rows
        assert watched.exists(job.parameters["source"]["sha256"])


def test_so_it_is_on_the_page(
    site: Site, manager: User, watched: WatchedStore, gallery_id: uuid.UUID
) -> None:
    answer = upload(site.signed_in("mia"), f"/galleries/{gallery_id}/import")
    assert answer.status_code == 303, answer.get_data(as_text=True)[:500]
    assert watched.copied == 1


def test_an_archive_for_no_gallery_is_not_kept(
    site: Site, manager: User, watched: WatchedStore
) -> None:
    client = site.with_key(manager, Role.GALLERY_MANAGER)
    answer = upload(client, f"/api/v1/galleries/{uuid.uuid4()}/imports")
    assert answer.status_code == 404
    assert not [path for path in (site.settings.data_folder / "files").rglob("*") if path.is_file()]
