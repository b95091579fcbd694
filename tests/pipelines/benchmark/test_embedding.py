from pathlib import Path

import numpy as np
import pytest

from forensic.files import sha256_of_file
from forensic.images.io import write_image
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.embedding import (
    BATCH_SIZE,
    Located,
    code_version,
    embed_located,
    locate_faces,
    read_image,
)
from pipelines.benchmark.folders import ImageFile
from tests.support.benchmark import LANDMARKS, FakeFinder, FakeMethod


def _images(folder: Path, count: int) -> list[ImageFile]:
    """Small noise pictures: nothing here looks for a real face."""
    generator = np.random.default_rng(0)
    images = []
    for number in range(count):
        path = folder / f"{number}.png"
        write_image(path, generator.integers(0, 255, size=(200, 200, 3), dtype=np.uint8))
        images.append(ImageFile(path, path.name, sha256_of_file(path)))
    return images


def _locate(images: list[ImageFile], finder: FakeFinder, cache: Cache) -> list[Located]:
    return locate_faces(images, finder=finder, cache=cache, given={}, on_done=lambda _: None)


def _embed(located: list[Located], method: FakeMethod, cache: Cache, **identity: str) -> np.ndarray:
    return embed_located(
        located,
        embed=lambda images, points: method.probe(images, points).vectors,
        dimension=64,
        identity=identity,
        cache=cache,
        on_done=lambda _: None,
    ).vectors


def test_killed_search_for_faces_goes_on_where_it_was(tmp_path: Path) -> None:
    images = _images(tmp_path, 2 * BATCH_SIZE + 3)
    with Cache(tmp_path / "cache") as cache, pytest.raises(KeyboardInterrupt):
        _locate(images, FakeFinder(fails_after=BATCH_SIZE), cache)
    again = FakeFinder()
    with Cache(tmp_path / "cache") as cache:
        located = _locate(images, again, cache)
    assert again.seen == BATCH_SIZE + 3
    assert [item.image for item in located] == images
    assert all(item.found is not None for item in located)


def test_vectors_are_computed_once_and_in_batches_of_one_size(tmp_path: Path) -> None:
    images = _images(tmp_path, BATCH_SIZE + 2)
    first, second = FakeMethod(), FakeMethod()
    with Cache(tmp_path / "cache") as cache:
        located = _locate(images, FakeFinder(), cache)
        vectors = _embed(located[:5], first, cache)
        whole = _embed(located, first, cache)
        assert np.array_equal(_embed(located, second, cache), whole)
    assert np.array_equal(whole[:5], vectors)
    assert first.batch_sizes == [BATCH_SIZE, BATCH_SIZE]
    assert second.batch_sizes == []
    assert np.linalg.norm(whole, axis=1) == pytest.approx(1)


def test_other_weights_and_other_landmarks_are_other_entries(tmp_path: Path) -> None:
    images = _images(tmp_path, 2)
    method = FakeMethod()
    with Cache(tmp_path / "cache") as cache:
        located = _locate(images, FakeFinder(), cache)
        _embed(located, method, cache, weights="one")
        _embed(located, method, cache, weights="two")
        given = {image.name: LANDMARKS + 1 for image in images}
        moved = locate_faces(
            images, finder=FakeFinder(), cache=cache, given=given, on_done=lambda _: None
        )
        _embed(moved, method, cache, weights="one")
    assert len(method.batch_sizes) == 3


def test_face_that_is_not_there_and_damaged_files_are_failures(tmp_path: Path) -> None:
    images = _images(tmp_path, 3)
    write_image(images[0].path, np.full((40, 40, 3), 255, np.uint8))
    images[1].path.write_bytes(b"no image")
    finder = FakeFinder()
    with Cache(tmp_path / "cache") as cache:
        white, damaged, good = _locate(images, finder, cache)
        embedded = embed_located(
            [white, damaged, good],
            embed=lambda images, points: FakeMethod().probe(images, points).vectors,
            dimension=64,
            identity={},
            cache=cache,
            on_done=lambda _: None,
        )
    assert white.reason == "No face was found."
    assert damaged.reason is not None
    assert damaged.reason.startswith("1.png is not an image")
    assert str(tmp_path) not in damaged.reason
    assert good.reason is None
    assert embedded.enrolled.tolist() == [False, False, True]
    assert not embedded.vectors[:2].any()


def test_given_landmarks_need_no_finder(tmp_path: Path) -> None:
    images = _images(tmp_path, 2)
    finder, told = FakeFinder(), []
    with Cache(tmp_path / "cache") as cache:
        located = locate_faces(
            images, finder=finder, cache=cache, given={"0.png": LANDMARKS}, on_done=told.append
        )
    assert finder.seen == 1
    assert [item.found.source for item in located if item.found] == ["given", "fake"]
    assert sum(told) == 2


def test_file_that_vanishes_is_named_without_this_machines_folders(tmp_path: Path) -> None:
    (image,) = _images(tmp_path, 1)
    image.path.unlink()
    with pytest.raises(ValueError, match=r"^0\.png cannot be read"):
        read_image(image)


def test_code_version_tells_packages_apart() -> None:
    assert code_version("faces") == code_version("faces")
    assert code_version("faces") != code_version("images")
