from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from pipelines.benchmark.disjoint import check_parts
from pipelines.benchmark.folders import ImageFile, Pair, PairsData


def _image(name: str, sha256: str | None = None) -> ImageFile:
    return ImageFile(Path(name), name, sha256 or f"hash of {name}")


PAIRS = [Pair("a", _image("a.png"), _image("photos/a.jpg"))]
OTHERS = [_image("1:others/b.jpg")]


def test_different_people_pass() -> None:
    calibration = [Pair("k", _image("k.png"), _image("k.jpg"))]
    parts = PairsData(PAIRS, OTHERS, nonmated=[_image("z.png")], calibration=calibration)
    check_parts(parts)
    with pytest.raises(DataFolderError, match="by stem: z"):
        check_parts(parts, ["z"])  # the same parts, once the stranger is in a stored gallery


@pytest.mark.parametrize("name", ["a.jpg", "deep/a.png", "b.png"])
def test_stem_of_a_probe_or_of_the_gallery_is_refused_for_a_stranger(name: str) -> None:
    with pytest.raises(DataFolderError, match="share 1 files by stem"):
        check_parts(PairsData(PAIRS, OTHERS, nonmated=[_image(name)]))


def test_content_of_the_gallery_is_refused_under_any_name() -> None:
    copy = _image("unlike.png", OTHERS[0].sha256)
    with pytest.raises(DataFolderError, match=r"by content: unlike\.png"):
        check_parts(PairsData(PAIRS, OTHERS, nonmated=[copy]))
    with pytest.raises(DataFolderError, match="calibration set share 1 files by content"):
        check_parts(PairsData(PAIRS, OTHERS, calibration=[Pair("k", _image("k.png"), copy)]))


def test_calibration_and_strangers_are_kept_apart_too() -> None:
    calibration = [Pair("k", _image("k.png"), _image("k.jpg"))]
    with pytest.raises(DataFolderError, match="non-mated probes and the calibration set"):
        check_parts(PairsData(PAIRS, nonmated=[_image("k.bmp")], calibration=calibration))


def test_people_of_a_stored_gallery_count_as_gallery() -> None:
    with pytest.raises(DataFolderError, match="by stem: z"):
        check_parts(PairsData(PAIRS, nonmated=[_image("z.png")]), ["folder/z"])
