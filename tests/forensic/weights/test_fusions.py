import json
from pathlib import Path

import pytest

from forensic.errors import MissingWeights, WeightsError
from forensic.weights.fusions import Fusion, FusionPart, find_fusion, rank_parts


def a_fusion(sha256: str = "f" * 64) -> Fusion:
    parts = (FusionPart("adapter", 6.0, {"adapter": "a" * 64}), FusionPart("none", 2.0, {}))
    return Fusion("fake", sha256, parts, -1.5, {"probes": 60})


def test_a_fusion_is_found_by_its_embedder(tmp_path: Path) -> None:
    a_fusion("0" * 64).write(tmp_path / "best-other.json")
    with pytest.raises(MissingWeights, match="forensic benchmark fusion"):
        find_fusion("fake", "f" * 64, folder=tmp_path)
    a_fusion().write(tmp_path / "best-own.json")
    assert find_fusion("fake", "f" * 64, folder=tmp_path) == a_fusion()


@pytest.mark.parametrize("change", [{"parts": []}, {"intercept": None, "strange": 1}])
def test_damaged_files_are_refused(tmp_path: Path, change: dict) -> None:
    path = tmp_path / "best.json"
    a_fusion().write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(WeightsError, match=r"best\.json"):
        Fusion.read(path)


def test_a_negative_weight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    a_fusion().write(path)
    path.write_text(path.read_text().replace("2.0", "-2.0"))
    with pytest.raises(WeightsError, match="negative"):
        Fusion.read(path)


def test_parts_without_weight_are_left_out() -> None:
    parts = rank_parts({"none": 1.0, "csi-line": 0.0, "adapter": 3.0}, {"none": {}, "adapter": {}})
    assert [part.method for part in parts] == ["adapter", "none"]
