"""The bench imports and compares; its figures are not looked at, for tests must not time."""

import json

import pytest
from click.testing import CliRunner

from pipelines.bench_index import bench_index
from tests.support.images import write_photos


def run(*arguments: str) -> str:
    done = CliRunner().invoke(bench_index, [*arguments, "--repeats", "1", "--processes", "0"])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_both_sides_do_all_photos(tmp_path):
    write_photos(tmp_path / "photos", range(3))
    told = json.loads(run("--photos", str(tmp_path / "photos"), "--json"))
    assert (told["images"], told["indexed"], told["plain_faces"]) == (3, 3, 3)
    assert told["ratio"] == pytest.approx(told["ours_images_per_s"] / told["plain_images_per_s"])
    assert 0 < told["embedding_share"] <= 1
    assert "commit" in told["provenance"]


def test_stand_ins_import_drawn_files_and_say_what_they_are():
    told = json.loads(run("--stand-in", "--images", "70", "--json"))
    assert (told["images"], told["indexed"], told["ratio"]) == (70, 70, None)
    memory = told["memory"]
    assert 0 < max(memory["start_mib"], memory["middle_mib"]) <= memory["peak_mib"]
    table = run("--stand-in", "--images", "10")
    assert "stand-ins for both networks" in table
    assert "plain" not in table


def test_photos_and_stand_ins_exclude_each_other(tmp_path):
    for arguments in ([], ["--stand-in", "--photos", str(tmp_path)]):
        done = CliRunner().invoke(bench_index, arguments)
        assert done.exit_code == 2
        assert "either --photos or --stand-in" in done.output
