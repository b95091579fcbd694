"""The life of a gallery on the command line, with real networks and persons who do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from db.migrations import upgrade
from forensic.cli.gallery_import import source_of
from forensic.errors import InputError
from forensic.weights.embedders import DEFAULT
from pipelines.cli import main
from tests.support.images import write_photos


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    upgrade(f"sqlite:///{folder / 'records.db'}")
    return folder


def call(root: Path, *arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["gallery", *arguments, "--root", str(root)])
    assert done.exit_code == code, done.output
    return done


@pytest.mark.slow
def test_made_filled_exported_and_emptied_again(root: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "in", range(3))
    (tmp_path / "in" / "=bad.png").write_bytes(b"no image")
    call(root, "create", "mugshots", "--purpose", "tests")
    arguments = ("mugshots", str(tmp_path / "in"), "--processes", "0", "--json")
    first = call(root, "import", *arguments, "--rejected", str(tmp_path / "rejected.csv"))
    told = json.loads(first.stdout)
    counts = {name: told[name] for name in ("total", "indexed", "duplicate", "rejected")}
    assert counts == {"total": 4, "indexed": 3, "duplicate": 0, "rejected": 1}
    assert "'=bad.png" in (tmp_path / "rejected.csv").read_text()
    assert json.loads(call(root, "import", *arguments).stdout)["duplicate"] == 3
    info = json.loads(call(root, "info", "mugshots", "--json").stdout)
    assert (info["photos"], info["subjects"], info["embedder"]) == (3, 3, DEFAULT)
    assert "3 photos" in call(root, "list").stdout
    gone = call(root, "remove", "mugshots", "p0001", "--expunge", "--yes")
    assert "1 photos taken out, 1 files deleted" in gone.stdout
    call(root, "export", "mugshots", str(tmp_path / "out"))
    assert len(list((tmp_path / "out" / "photos").iterdir())) == 2
    assert "p0001" not in (tmp_path / "out" / "manifest.csv").read_text()


def test_what_is_not_there_is_told(root: Path, tmp_path: Path) -> None:
    for arguments in (
        ("info", "nothing"),
        ("export", "nothing", str(tmp_path / "out")),
        ("remove", "nothing", "ann", "--yes"),
    ):
        assert "There is no gallery 'nothing'" in call(root, *arguments, code=2).output
    assert "forensic db upgrade" in call(tmp_path / "bare", "list", code=2).output
    assert "create NAME" in call(root, "list").output


def test_kind_of_source_is_told_by_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "list.CSV").touch()
    (tmp_path / "a.zip").touch()
    kinds = {
        name: source_of(tmp_path / name, subject_from="file", root=None).kind
        for name in ("", "list.CSV", "a.zip")
    }
    assert kinds == {"": "folder", "list.CSV": "manifest", "a.zip": "zip"}
    with pytest.raises(InputError, match="only a manifest"):
        source_of(tmp_path, subject_from="file", root=tmp_path)
