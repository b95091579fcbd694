from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from forensic.datasets.packed import PackedWriter, Record
from forensic.datasets.pairs import Order, SketchPhotoPairs
from forensic.errors import DataFolderError, UnknownNameError
from forensic.sketches.registry import SKETCH_STYLES
from tests.support.packed import random_photo, write_packed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_packed(tmp_path_factory.mktemp("packed"), n_train=5, n_validation=2)


@pytest.mark.parametrize("style", ["line", "pencil-color"])
def test_sketch_is_the_style_of_its_photo(folder: Path, style: str) -> None:
    pairs = SketchPhotoPairs(folder, split="train", style=style)
    assert len(pairs) == 5
    batch = pairs.batch(np.array([4, 1]))
    drawn = SKETCH_STYLES[style](random_photo(4))
    assert batch["sketch"].shape == (2, SKETCH_STYLES[style].channels, 16, 16)
    assert batch["photo"].shape == (2, 3, 16, 16)
    sketch = (batch["sketch"][0] * 255).round().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(sketch, drawn)
    photo = (batch["photo"][1] * 255).round().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(photo, random_photo(1))


def test_mirrored_together_and_only_where_flagged(folder: Path) -> None:
    pairs = SketchPhotoPairs(folder, split="train", style="line")
    indices = np.array([0, 1, 0])
    plain = pairs.batch(indices)
    mirrored = pairs.batch(indices, flips=np.array([True, False, False]))
    for name in ("sketch", "photo"):
        assert torch.equal(mirrored[name][0], plain[name][0].flip(2))
        assert torch.equal(mirrored[name][1:], plain[name][1:])
    assert torch.equal(pairs.batch(indices)["photo"], plain["photo"])  # the store is untouched


def test_split_and_limit(folder: Path) -> None:
    validation = SketchPhotoPairs(folder, split="validation", style="line")
    assert [r.key for r in validation.records] == ["toy/5", "toy/6"]
    few = SketchPhotoPairs(folder, split="train", style="line", limit=3)
    assert [r.key for r in few.records] == ["toy/0", "toy/1", "toy/2"]
    assert few.photos.shape[0] == few.sketches.shape[0] == len(few) == 3


def test_stored_sketches_are_used_and_not_drawn_again(tmp_path: Path) -> None:
    stored = np.full((16, 16, 1), 42, np.uint8)
    with PackedWriter(tmp_path, geometry="g", quality=100) as writer:
        writer.add(Record("a", "a", "train", ""), {"photo": random_photo(0), "line": stored})
    pairs = SketchPhotoPairs(tmp_path, split="train", style="line")
    assert (pairs.sketches == 42).all()


def test_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        SketchPhotoPairs(folder, split="train", style="lines")
    with pytest.raises(DataFolderError, match="no 'test' faces"):
        SketchPhotoPairs(folder, split="test", style="line")
    with pytest.raises(DataFolderError, match="not a finished"):
        SketchPhotoPairs(tmp_path, split="train", style="line")


sizes = st.integers(1, 40)


@given(n=sizes, batch=sizes, seed=st.integers(0, 2**32 - 1))
def test_an_epoch_visits_nobody_twice(n: int, batch: int, seed: int) -> None:
    order = Order(n, batch_size=batch, seed=seed)
    steps = [order.at(step)[0] for step in range(order.steps_per_epoch)]
    seen = np.concatenate(steps)
    assert len(seen) == len(set(seen.tolist())) == n // min(n, batch) * min(n, batch)
    assert set(seen.tolist()) <= set(range(n))
    assert all(len(indices) == min(n, batch) for indices in steps)


def test_an_epoch_without_remainder_is_a_permutation_and_the_next_is_another() -> None:
    order = Order(60, batch_size=6, seed=1)
    epochs = [np.concatenate([order.at(10 * e + s)[0] for s in range(10)]) for e in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(60))
    assert epochs[0].tolist() != epochs[1].tolist()


@given(step=st.integers(0, 10**6), seed=st.integers(0, 2**32 - 1))
def test_pure_function_of_seed_and_step(step: int, seed: int) -> None:
    """Whatever was asked before: a resumed training sees what the first one would have seen."""
    used = Order(20, batch_size=3, seed=seed)
    for earlier in (0, step + 7, max(0, step - 1)):
        used.at(earlier)
    fresh = Order(20, batch_size=3, seed=seed)
    for mine, theirs in zip(used.at(step), fresh.at(step), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_known_order_never_changes() -> None:
    """Trainings that are under way resume with exactly this order."""
    indices, flips = Order(10, batch_size=4, seed=0).at(3)
    assert indices.tolist() == [7, 6, 0, 4]
    assert flips.tolist() == [False, True, True, False]


def test_half_of_all_samples_are_mirrored() -> None:
    order = Order(50, batch_size=50, seed=3)
    flips = np.concatenate([order.at(step)[1] for step in range(40)])
    assert 0.45 < flips.mean() < 0.55


def test_another_seed_is_another_order() -> None:
    first, second = (Order(100, batch_size=100, seed=seed).at(0)[0] for seed in (0, 1))
    assert first.tolist() != second.tolist()
