"""What was exported can be imported again, and is the same gallery then."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.queries.subjects import find_subject
from db.session import session_scope
from forensic.cases.actor import command_actor
from forensic.cases.intake import ImportSource
from forensic.errors import DataFolderError
from forensic.jobs.galleries.catalog import find
from forensic.jobs.galleries.export import export_gallery
from forensic.storage import FileStore
from tests.support.imports import contents_of, make_gallery, queue_import, run, write_files

ROWS = """path,subject_id,sex,birth_year,tattoo
a/1.png,=ann,F,1980,"rose, red"
a/2.png,=ann,F,1980,"rose, red"
b/1.png,Борис,,,
c/1.png,cid,M,,
"""


def fill(engine: Engine, base: Path, **policy: str):
    files = {"a/1.png": "face 1", "a/2.png": "face 2", "b/1.png": "face 3", "c/1.png": "no_face"}
    write_files(base / "in", {**files, "list.csv": ROWS})
    gallery_id = make_gallery(engine, "first", **policy)
    source = ImportSource(kind="manifest", path=base / "in" / "list.csv")
    run(engine, queue_import(engine, gallery_id, source), base)
    return gallery_id


def export(engine: Engine, base: Path):
    store = FileStore(str(base / "files"))
    found = find(engine, "first")
    return export_gallery(engine, found, base / "out", store=store, actor=command_actor())


def test_export_and_import_make_the_same_gallery(engine: Engine, tmp_path: Path) -> None:
    first = fill(engine, tmp_path)
    assert export(engine, tmp_path).photos == 3
    second = make_gallery(engine, "second")
    source = ImportSource(kind="manifest", path=tmp_path / "out" / "manifest.csv")
    job = run(engine, queue_import(engine, second, source), tmp_path)
    assert job.counts == {"indexed": 3}

    def people_and_vectors(gallery_id):
        found = contents_of(engine, gallery_id)
        return {sha256: (who, vector) for sha256, (who, _, _, vector) in found.items()}

    assert people_and_vectors(first) == people_and_vectors(second)
    with session_scope(engine, read_only=True) as session:
        ann = find_subject(session, second, "=ann")
        assert ann is not None
        assert (ann.sex, ann.birth_year, ann.attributes) == ("F", 1980, {"tattoo": "rose, red"})
    with open(tmp_path / "out" / "rejected.csv", encoding="utf-8", newline="") as file:
        assert [row["reason"] for row in csv.DictReader(file)] == ["no_face"]


def test_a_gallery_by_reference_is_exported_without_files(records: Engine, tmp_path: Path) -> None:
    fill(records, tmp_path, originals="reference")
    assert export(records, tmp_path).has_files is False
    with open(tmp_path / "out" / "manifest.csv", encoding="utf-8", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["a/1.png", "a/2.png", "b/1.png"]
    assert not (tmp_path / "out" / "photos").exists()


def test_a_folder_in_use_is_refused(records: Engine, tmp_path: Path) -> None:
    fill(records, tmp_path)
    write_files(tmp_path / "out", {"mine.txt": "keep"})
    with pytest.raises(DataFolderError, match="not empty"):
        export(records, tmp_path)
