from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.identification.inverter import MachineMadeFace
from forensic.images.io import write_image
from forensic.values import RGB
from pipelines.benchmark.batches import BATCH_SIZE, Clock
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.embedding import Embedded, Way, embed_located
from pipelines.benchmark.locating import Located, locate_faces, read_image
from tests.support.benchmark import LANDMARKS, FakeFinder, FakeMethod, locate, noise_images


def _embed_all(
    located: list[Located], ways: list[Way], cache: Cache, clock: Clock | None = None
) -> dict[str, Embedded]:
    return embed_located(
        located, ways, dimension=64, cache=cache, on_done=lambda _: None, clock=clock
    )


def _embed(located: list[Located], method: FakeMethod, cache: Cache, **identity: str) -> np.ndarray:
    return _embed_all(located, [Way("own", identity, method.probe)], cache)["own"].vectors


class CountingMeter:
    """Keeps the number of each row whose face it was shown."""

    def __init__(self, keys: dict[int, str]) -> None:
        self.keys = keys
        self.calls = 0

    def measure(
        self,
        rows: Sequence[int],
        images: Sequence[RGB],
        faces: Sequence[MachineMadeFace | None],
    ) -> dict[str, bytes]:
        assert len(rows) == len(images) == len(faces)
        self.calls += 1
        return {self.keys[row]: str(row).encode() for row in rows if row in self.keys}


def test_vectors_are_computed_once_and_in_batches_of_one_size(tmp_path: Path) -> None:
    images = noise_images(tmp_path, BATCH_SIZE + 2)
    first, second = FakeMethod(), FakeMethod()
    with Cache(tmp_path / "cache") as cache:
        located = locate(images, FakeFinder(), cache)
        vectors = _embed(located[:5], first, cache)
        whole = _embed(located, first, cache)
        assert np.array_equal(_embed(located, second, cache), whole)
    assert np.array_equal(whole[:5], vectors)
    assert first.batch_sizes == [BATCH_SIZE, BATCH_SIZE]
    assert second.batch_sizes == []
    assert np.linalg.norm(whole, axis=1) == pytest.approx(1)


def test_each_image_is_read_once_for_all_ways_and_only_missing_ways_are_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = noise_images(tmp_path, 3)
    methods = [FakeMethod("a"), FakeMethod("b"), FakeMethod("c")]
    ways = [Way(method.name, {"of": method.name}, method.probe) for method in methods]
    read: list[str] = []
    with Cache(tmp_path / "cache") as cache:
        located = locate(images, FakeFinder(), cache)
        monkeypatch.setattr(
            "pipelines.benchmark.embedding.read_image",
            lambda image: read.append(image.name) or read_image(image),
        )
        alone = _embed_all(located, ways[:1], cache)
        clock = Clock()
        every = _embed_all(located, ways, cache, clock)
    assert read == 2 * ["0.png", "1.png", "2.png"]
    assert [len(method.batch_sizes) for method in methods] == [1, 1, 1]
    assert np.array_equal(every["a"].vectors, alone["a"].vectors)
    assert np.array_equal(every["c"].vectors, every["a"].vectors)
    assert list(clock.seconds()) == ["reading", "b", "c"]


def test_several_threads_give_the_vectors_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = noise_images(tmp_path, 3 * BATCH_SIZE + 1)
    vectors = []
    for n_threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda n=n_threads: n)
        with Cache(tmp_path / f"cache{n_threads}") as cache:
            located = locate(images, FakeFinder(), cache)
            vectors.append(_embed(located, FakeMethod(), cache))
    assert np.array_equal(*vectors)


def test_figures_of_faces_are_measured_with_the_vectors_and_once(tmp_path: Path) -> None:
    images = noise_images(tmp_path, 4)
    meter = CountingMeter({0: "zero", 2: "two"})
    with Cache(tmp_path / "cache") as cache:
        located = locate(images, FakeFinder(), cache)
        plain, method = FakeMethod(), FakeMethod()
        vectors = _embed(located, plain, cache)
        for _ in range(2):  # vectors were known before, figures were not
            found = _embed_all(located, [Way("own", {}, method.probe, meter)], cache)["own"]
        assert cache.get(["zero", "two"]) == {"zero": b"0", "two": b"2"}
    assert np.array_equal(found.vectors, vectors)
    assert meter.calls == 1
    assert len(method.batch_sizes) == 1


def test_other_weights_and_other_landmarks_are_other_entries(tmp_path: Path) -> None:
    images = noise_images(tmp_path, 2)
    method = FakeMethod()
    with Cache(tmp_path / "cache") as cache:
        located = locate(images, FakeFinder(), cache)
        _embed(located, method, cache, weights="one")
        _embed(located, method, cache, weights="two")
        given = {image.name: LANDMARKS + 1 for image in images}
        moved = locate_faces(
            images, finder=FakeFinder(), cache=cache, given=given, on_done=lambda _: None
        )
        _embed(moved, method, cache, weights="one")
    assert len(method.batch_sizes) == 3


def test_a_file_is_another_entry_as_a_drawing_than_as_a_photo(tmp_path: Path) -> None:
    images = noise_images(tmp_path, 2)
    method = FakeMethod()
    with Cache(tmp_path / "cache") as cache:
        for is_drawing in (False, True, False, True):
            as_told = [replace(image, is_drawing=is_drawing) for image in images]
            _embed(locate(as_told, FakeFinder(), cache), method, cache)
    assert len(method.batch_sizes) == 2


def test_face_that_is_not_there_and_damaged_files_are_failures(tmp_path: Path) -> None:
    images = noise_images(tmp_path, 3)
    write_image(images[0].path, np.full((40, 40, 3), 255, np.uint8))
    images[1].path.write_bytes(b"no image")
    with Cache(tmp_path / "cache") as cache:
        white, damaged, good = locate(images, FakeFinder(), cache)
        ways = [Way("own", {}, FakeMethod().probe)]
        embedded = _embed_all([white, damaged, good], ways, cache)["own"]
    assert white.reason == "No face was found."
    assert damaged.reason is not None
    assert damaged.reason.startswith("1.png is not an image")
    assert str(tmp_path) not in damaged.reason
    assert good.reason is None
    assert embedded.enrolled.tolist() == [False, False, True]
    assert not embedded.vectors[:2].any()
