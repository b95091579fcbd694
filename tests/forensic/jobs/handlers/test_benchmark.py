"""Uploaded pairs are unpacked by file name alone, and what is no pair is refused."""

import io
import zipfile
from pathlib import Path

import pytest

from forensic.errors import JobError
from forensic.jobs.handlers.benchmark import summary_of, unpack_pairs
from tests.support.service import png


def archive_of(tmp_path: Path, names: dict[str, bytes]) -> Path:
    path = tmp_path / "pairs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return path


def test_only_pictures_of_the_two_folders_come_out(tmp_path: Path) -> None:
    path = archive_of(
        tmp_path,
        {
            "set/photos/1.png": png(1),
            "set/sketches/1.png": png(2),
            "photos/../../../evil.png": b"x",
            "/sketches/2.jpg": b"y",
            "photos/.hidden.png": b"z",
            "photos/readme.txt": b"no",
            "other/3.png": b"no",
        },
    )
    out = tmp_path / "out"
    out.mkdir()
    unpack_pairs(path, out)
    found = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert found == {"photos/1.png", "photos/evil.png", "sketches/1.png", "sketches/2.jpg"}
    assert (out / "photos/1.png").read_bytes() == png(1)
    assert not (tmp_path.parent / "evil.png").exists()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"photos/1.png": b"x"}, "no_pairs"),
        ({}, "no_pairs"),
        ({"photos/1.png": b"x" * (16 * 2**20 + 1), "sketches/1.png": b"y"}, "too_many_bytes"),
    ],
)
def test_what_holds_no_pairs_is_refused(tmp_path: Path, names, reason: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(JobError) as refused:
        unpack_pairs(archive_of(tmp_path, names), out)
    assert refused.value.reason == reason


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.zip"
    path.write_bytes(io.BytesIO(b"not a zip" * 100).getvalue())
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(JobError) as refused:
        unpack_pairs(path, out)
    assert refused.value.reason == "bad_archive"


def test_the_summary_is_sizes_and_rates() -> None:
    rank1 = {"successes": 3, "trials": 4, "ci95": [0.2, 0.99], "p_vs_chance": 0.1}
    report = {
        "probes": 4,
        "gallery": 10,
        "sketch_kind": "viewed",
        "embedder": {"weights_sha256": "e" * 64},
        "methods": {"none": {"rank1": rank1}},
    }
    assert summary_of(report) == {
        "probes": 4,
        "gallery": 10,
        "sketch_kind": "viewed",
        "embedder_weights_sha256": "e" * 64,
        "methods": {"none": {"rank1": 0.75, "ci95": [0.2, 0.99]}},
    }
