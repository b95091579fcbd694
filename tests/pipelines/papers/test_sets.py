"""Distances of sets of pictures, by a stand-in of random numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.errors import MissingWeights
from pipelines.papers.sets import open_features, set_distance
from tests.support.vgg import write_vgg19

CPU = torch.device("cpu")


def test_equal_sets_have_no_distance(tmp_path: Path) -> None:
    features = open_features(write_vgg19(tmp_path / "vgg.safetensors"), CPU)
    assert features is not None
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    distance = set_distance(images, images, features, CPU)
    assert distance.frechet == pytest.approx(0, abs=1e-4)
    assert not distance.is_standard
    assert set_distance(images, images // 2, features, CPU).frechet > 0.01


def test_no_file_no_features(tmp_path: Path) -> None:
    assert open_features(None, CPU) is None
    with pytest.raises(MissingWeights, match="inception-fid"):
        open_features(tmp_path / "absent.pth", CPU)
