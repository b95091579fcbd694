"""One file below a folder: read, or refused with a reason; never a wait, never a way out."""

from __future__ import annotations

import os
from pathlib import Path

from forensic.cases.intake import Refusal
from forensic.jobs.galleries.sources.source import read_below, subject_name


def reason(root: Path, name: str, **options: int) -> str | bytes:
    found = read_below(root.resolve(), name, **options)
    return found.reason if isinstance(found, Refusal) else found


def test_a_file_is_read_also_through_links_that_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.png").write_bytes(b"data")
    (tmp_path / "link.png").symlink_to("sub/a.png")
    assert reason(tmp_path, "sub/a.png") == b"data"
    assert reason(tmp_path, "link.png") == b"data"


def test_no_path_leads_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (root / "link.png").symlink_to("../secret.png")
    (root / "out").symlink_to(tmp_path)
    for name in ("../secret.png", str(tmp_path / "secret.png"), "link.png", "out/secret.png"):
        assert reason(root, name) == "outside_root"


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b"12345")
    assert reason(tmp_path, "a") == "link"
    assert reason(tmp_path, "folder") in ("not_a_file", "no_access")
    assert reason(tmp_path, "pipe") == "not_a_file"
    assert reason(tmp_path, "empty") == "empty"
    assert reason(tmp_path, "large", max_bytes=4) == "too_many_bytes"
    assert reason(tmp_path, "absent") == "missing"
    assert reason(tmp_path, "empty/absent") == "missing"
    assert reason(tmp_path, "x" * 5000) == "missing"
    assert reason(tmp_path, "nul\x00") == "bad_name"


def test_one_person_in_two_compositions_stays_one() -> None:
    assert subject_name("Jose\u0301 ") == subject_name("Jos\u00e9")
