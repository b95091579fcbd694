from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.errors import ImageError, InputError
from forensic.files import sha256_of_file
from forensic.images.io import load_image, write_image
from forensic.sketches.normalise import normalise_sketch
from forensic.values import RGB
from pipelines.benchmark.batches import BATCH_SIZE
from pipelines.benchmark.cache import Cache
from pipelines.benchmark.folders import ImageFile
from pipelines.benchmark.locating import Found, locate_faces, read_image
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


class Looker(FakeFinder):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[RGB] = []

    def find(self, images: Sequence[RGB]) -> list[Found | InputError]:
        self.shown += images
        return super().find(images)


def _chalk(folder: Path) -> ImageFile:
    """White lines on black, as a negative or a chalk drawing has."""
    path = folder / "chalk.png"
    picture = np.full((200, 200, 3), 20, np.uint8)
    picture[60:140, 95:105] = 235
    write_image(path, picture)
    return ImageFile(path, path.name, sha256_of_file(path), is_drawing=True)


def _blank(folder: Path) -> ImageFile:
    path = folder / "blank.png"
    write_image(path, np.full((200, 200, 3), 250, np.uint8))
    return ImageFile(path, path.name, sha256_of_file(path), is_drawing=True)


def test_a_drawing_is_looked_at_as_identify_does_and_a_photo_is_left_as_it_is(
    tmp_path: Path,
) -> None:
    drawing = _chalk(tmp_path)
    photo = replace(drawing, is_drawing=False)
    for image, mended in ((photo, ()), (drawing, ("inverted",)), (drawing, ("inverted",))):
        finder = Looker()
        with Cache(tmp_path / "cache") as cache:  # one cache: neither takes the other's entry
            (located,) = locate([image], finder, cache)
        assert located.mended == mended
        for shown in finder.shown:
            assert np.array_equal(shown, read_image(image))
    assert not finder.shown  # the last one came from the cache
    as_it_is = load_image(drawing.path)
    assert np.array_equal(read_image(photo), as_it_is)
    assert np.array_equal(read_image(drawing), normalise_sketch(as_it_is).image)


@pytest.mark.parametrize("is_given", [True, False])
def test_a_blank_drawing_is_refused_with_its_reason_even_where_landmarks_are_given(
    tmp_path: Path, is_given: bool
) -> None:
    blank, given = _blank(tmp_path), {"blank.png": LANDMARKS} if is_given else {}
    with Cache(tmp_path / "cache") as cache:
        (located,) = locate_faces(
            [blank], finder=FakeFinder(), cache=cache, given=given, on_done=lambda _: None
        )
    assert located.found is None
    assert located.reason is not None
    assert located.reason.startswith("blank.png shows nothing")
    with pytest.raises(ImageError, match="shows nothing"):
        read_image(blank)


def test_given_landmarks_of_a_drawing_tell_what_was_mended(tmp_path: Path) -> None:
    chalk = _chalk(tmp_path)
    with Cache(tmp_path / "cache") as cache:
        (located,) = locate_faces(
            [chalk],
            finder=FakeFinder(),
            cache=cache,
            given={chalk.name: LANDMARKS},
            on_done=lambda _: None,
        )
    assert located.found is not None
    assert located.mended == ("inverted",)
