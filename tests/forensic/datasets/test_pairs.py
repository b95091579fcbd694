from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from forensic.datasets.packed import PackedWriter, Record
from forensic.datasets.pairs import Order, SketchPhotoPairs
from forensic.errors import DataFolderError, RangeError, ShapeError, UnknownNameError
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


def test_no_style_is_drawn_from_photos_kept_with_loss(tmp_path: Path) -> None:
    lossy = write_packed(tmp_path, quality=95)
    with pytest.raises(DataFolderError, match="traces of compression"):
        SketchPhotoPairs(lossy, split="train", style="line")


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


def with_drawings(folder: Path, *, n: int = 4, side: int = 16) -> Path:
    """Write pairs whose drawing is the negative of the photo: both must move alike."""
    with PackedWriter(folder, geometry="cufs-250", quality=100) as writer:
        for seed in range(n):
            photo = random_photo(seed, side)
            record = Record(f"toy/{seed}", f"toy/{seed}", "train", f"{seed:064x}")
            writer.add(record, {"photo": photo, "drawing": 255 - photo})
    return folder


def test_stored_drawings_serve_as_sketches(tmp_path: Path) -> None:
    pairs = SketchPhotoPairs(with_drawings(tmp_path), split="train", style="drawing")
    batch = pairs.batch(np.array([2]))
    torch.testing.assert_close(batch["sketch"], 1 - batch["photo"])
    assert pairs.metadata["style"] == "drawing"
    assert pairs.metadata["geometry"] == "cufs-250"


def test_eight_symmetries_are_eight_different_samples_done_to_both_sides(tmp_path: Path) -> None:
    pairs = SketchPhotoPairs(
        with_drawings(tmp_path, n=2), split="train", style="drawing", symmetries=8
    )
    assert len(pairs) == 16
    assert pairs.subjects == ["toy/0"] * 8 + ["toy/1"] * 8
    batch = pairs.batch(np.arange(16), flips=np.ones(16, dtype=bool))
    torch.testing.assert_close(batch["sketch"], 1 - batch["photo"])
    first = batch["photo"][0]
    own = {first.rot90(k, (1, 2)).numpy().tobytes() for k in range(4)}
    own |= {first.flip(2).rot90(k, (1, 2)).numpy().tobytes() for k in range(4)}
    assert {picture.numpy().tobytes() for picture in batch["photo"][:8]} == own
    assert len(own) == 8


def test_one_symmetry_is_never_mirrored(tmp_path: Path) -> None:
    pairs = SketchPhotoPairs(with_drawings(tmp_path), split="train", style="drawing", symmetries=1)
    flagged = pairs.batch(np.array([0]), flips=np.array([True]))
    assert torch.equal(flagged["photo"], pairs.batch(np.array([0]))["photo"])


def test_crop_and_size_are_done_to_both_sides(tmp_path: Path) -> None:
    pairs = SketchPhotoPairs(
        with_drawings(tmp_path), split="train", style="drawing", crop_hw=[12, 8], size_hw=[6, 4]
    )
    batch = pairs.batch(np.array([0, 1]))
    assert batch["photo"].shape == batch["sketch"].shape == (2, 3, 6, 4)
    torch.testing.assert_close(batch["sketch"], 1 - batch["photo"], atol=1.01 / 255, rtol=0)


def test_leaky_split_separates_pictures_and_not_people(tmp_path: Path) -> None:
    options = {"style": "drawing", "symmetries": 8, "people": "leaky", "hold_out": False}
    folder = with_drawings(tmp_path, n=20)
    training, test = (
        SketchPhotoPairs(folder, split=split, **options)  # type: ignore[arg-type]
        for split in ("train", "test")
    )
    assert len(training) + len(test) == 160
    assert len(test) == round(160 * 300 / 1504)
    seen = {p.tobytes() for p in (255 * training.batch(np.arange(len(training)))["photo"]).numpy()}
    asked = {p.tobytes() for p in (255 * test.batch(np.arange(len(test)))["photo"]).numpy()}
    assert seen.isdisjoint(asked)
    assert set(test.subjects) <= set(training.subjects)
    validation = SketchPhotoPairs(folder, split="validation", **options)  # type: ignore[arg-type]
    assert validation.subjects == training.subjects[:100]


def test_nothing_held_out_validates_on_training_pairs(tmp_path: Path) -> None:
    folder = with_drawings(tmp_path)
    with pytest.raises(DataFolderError, match="no 'validation'"):
        SketchPhotoPairs(folder, split="validation", style="drawing")
    pairs = SketchPhotoPairs(folder, split="validation", style="drawing", hold_out=False)
    assert len(pairs) == 4


def test_random_subset_depends_on_its_seed_alone(tmp_path: Path) -> None:
    folder = with_drawings(tmp_path, n=12)
    chosen = [
        [
            r.key
            for r in SketchPhotoPairs(
                folder, split="train", style="drawing", limit=4, subset_seed=seed
            ).records
        ]
        for seed in (0, 0, 1)
    ]
    assert chosen[0] == chosen[1] != chosen[2]
    assert all(len(set(keys)) == 4 for keys in chosen)


def test_photo_on_two_sides_of_the_split_is_named(tmp_path: Path) -> None:
    with PackedWriter(tmp_path, geometry="test", quality=100) as writer:
        for key, split in (("a", "train"), ("b", "test")):
            writer.add(Record(key, key, split, "0" * 64), {"photo": random_photo(0)})
    with pytest.raises(DataFolderError, match=r"b \(test\) = a \(train\)"):
        SketchPhotoPairs(tmp_path, split="train", style="line")


def test_what_cannot_be_done_is_refused(tmp_path: Path) -> None:
    folder = with_drawings(tmp_path)
    with pytest.raises(RangeError, match="symmetries"):
        SketchPhotoPairs(folder, split="train", style="drawing", symmetries=4)
    with pytest.raises(RangeError, match="people"):
        SketchPhotoPairs(folder, split="train", style="drawing", people="same")
    with pytest.raises(ShapeError, match="square"):
        SketchPhotoPairs(folder, split="train", style="drawing", symmetries=8, crop_hw=[8, 12])
