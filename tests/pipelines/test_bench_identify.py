import json

import pytest
from click.testing import CliRunner

from pipelines.bench_identify import bench_identify


def test_every_method_is_set_beside_inversion_alone() -> None:
    given = ["--methods", "none,csi-line", "--n", "1", "--repeats", "1", "--rows", "60", "--json"]
    result = CliRunner().invoke(bench_identify, given)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["methods"]
    assert told["csi-line"]["ratio"] == pytest.approx(1)
    assert told["none"]["median_ms"] > 0


def test_without_inversion_there_is_nothing_to_compare_with() -> None:
    result = CliRunner().invoke(bench_identify, ["--methods", "none"])
    assert "csi-line" in str(result.exception)
