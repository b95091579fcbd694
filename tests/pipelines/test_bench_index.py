"""The bench imports and compares; its figures are not looked at, for tests must not time."""

import json

import pytest
from click.testing import CliRunner

from pipelines.bench_index import bench_index
from tests.support.images import write_photos


@pytest.mark.slow
def test_both_sides_do_all_photos(tmp_path):
    write_photos(tmp_path / "photos", range(3))
    arguments = ["--photos", str(tmp_path / "photos"), "--n", "3", "--repeats", "1"]
    done = CliRunner().invoke(bench_index, [*arguments, "--processes", "0", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["images"], told["indexed"], told["plain_faces"]) == (3, 3, 3)
    assert told["ratio"] == pytest.approx(told["ours_images_per_s"] / told["plain_images_per_s"])
    assert 0 < told["embedding_share"] <= 1
    assert "commit" in told["provenance"]
