from pathlib import Path

import pytest
import torch

from pipelines.benchmark.batches import BATCH_SIZE
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.locating import locate_faces, read_image
from tests.support.benchmark import LANDMARKS, FakeFinder, locate, noise_images


def test_killed_search_for_faces_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    images = noise_images(tmp_path, 2 * BATCH_SIZE + 3)
    with Cache(tmp_path / "cache") as cache, pytest.raises(KeyboardInterrupt):
        locate(images, FakeFinder(fails_after=BATCH_SIZE), cache)
    again = FakeFinder()
    with Cache(tmp_path / "cache") as cache:
        located = locate(images, again, cache)
    assert again.seen == BATCH_SIZE + 3
    assert [item.image for item in located] == images
    assert all(item.found is not None for item in located)


def test_given_landmarks_need_no_finder(tmp_path: Path) -> None:
    images = noise_images(tmp_path, 2)
    finder, told = FakeFinder(), []
    with Cache(tmp_path / "cache") as cache:
        located = locate_faces(
            images, finder=finder, cache=cache, given={"0.png": LANDMARKS}, on_done=told.append
        )
    assert finder.seen == 1
    assert [item.found.source for item in located if item.found] == ["given", "fake"]
    assert sum(told) == 2


def test_file_that_vanishes_is_named_without_this_machines_folders(tmp_path: Path) -> None:
    (image,) = noise_images(tmp_path, 1)
    image.path.unlink()
    with pytest.raises(ValueError, match=r"^0\.png cannot be read"):
        read_image(image)
