"""Triplets stay together."""

from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.datasets.deformed import DeformedPairs
from forensic.errors import DataFolderError
from tests.support.deformed import write_triplets
from tests.support.packed import write_packed


def test_all_three_are_mirrored_alike(tmp_path: Path) -> None:
    pairs = DeformedPairs(write_triplets(tmp_path / "data"), split="train")
    assert len(pairs) == 4
    plain = pairs.batch(np.arange(2))
    assert {k: tuple(v.shape) for k, v in plain.items()} == {
        "sketch": (2, 1, 32, 32),
        "deformed": (2, 1, 32, 32),
        "photo": (2, 3, 32, 32),
    }
    assert torch.equal(plain["deformed"], plain["sketch"].roll(1, 3))
    mirrored = pairs.batch(np.arange(2), flips=np.array([True, False]))
    for name, image in plain.items():
        assert torch.equal(mirrored[name][0], image[0].flip(2)), name
        assert torch.equal(mirrored[name][1], image[1]), name


def test_size_and_what_weights_will_say(tmp_path: Path) -> None:
    pairs = DeformedPairs(write_triplets(tmp_path / "data"), split="validation", size_hw=[16, 16])
    assert {v.shape[2:] for v in pairs.batch(np.arange(2)).values()} == {(16, 16)}
    assert pairs.facts == {"in_channels": 1}
    assert pairs.metadata["style"] == "boundary"


def test_data_set_without_boundaries(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="dataset boundaries"):
        DeformedPairs(write_packed(tmp_path / "data"), split="train")
