"""Files that a store has lost or spoilt are found, and importing again brings lost ones back."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from forensic.files import sha256_of_bytes
from forensic.jobs.galleries.kept_files import find_lost_files
from forensic.storage import FileStore
from tests.support.imports import contents_of, import_folder, make_gallery, write_files

FILES = {f"p{i}/{i}.png": f"face {i}" for i in range(4)}


def place_of(base: Path, content: str) -> Path:
    name = sha256_of_bytes(content.encode())
    return next(path for path in (base / "files").rglob("*") if path.name.endswith(name[4:]))


def test_lost_and_changed_files_are_found(engine: Engine, tmp_path: Path) -> None:
    gallery_id, store = make_gallery(engine, keep_crops=True), FileStore(str(tmp_path / "files"))
    import_folder(engine, gallery_id, write_files(tmp_path / "in", FILES), tmp_path)
    assert list(find_lost_files(engine, store, gallery_id)) == []
    place_of(tmp_path, "face 1").unlink()
    place_of(tmp_path, "face 2").write_text("face 3")
    crop = next(p for p in (tmp_path / "files").rglob("*") if p.is_file() and is_png(p))
    crop.unlink()
    found = list(find_lost_files(engine, store, gallery_id))
    sources = [file.source for file in found]
    assert {"p1/1.png", "p2/2.png"} <= set(sources)
    assert "is not in the store" in found[sources.index("p1/1.png")].told
    assert any("now has the content of" in file.told for file in found)


def test_importing_again_brings_lost_files_back(engine: Engine, tmp_path: Path) -> None:
    gallery_id, store = make_gallery(engine), FileStore(str(tmp_path / "files"))
    folder = write_files(tmp_path / "in", FILES)
    import_folder(engine, gallery_id, folder, tmp_path)
    before = contents_of(engine, gallery_id)
    place_of(tmp_path, "face 1").unlink()
    assert [file.source for file in find_lost_files(engine, store, gallery_id)] == ["p1/1.png"]
    assert import_folder(engine, gallery_id, folder, tmp_path).counts == {"duplicate": 4}
    assert list(find_lost_files(engine, store, gallery_id)) == []
    assert contents_of(engine, gallery_id) == before


def test_photos_that_stay_where_they_are_are_not_looked_for(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine, originals="reference")
    import_folder(engine, gallery_id, write_files(tmp_path / "in", FILES), tmp_path)
    assert list(find_lost_files(engine, FileStore(str(tmp_path / "files")), gallery_id)) == []


def is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")
