from pathlib import Path

import pytest

from forensic.errors import DataFolderError, InputError
from forensic.images.io import write_image
from pipelines.pair_sources import PairSource, check_pairs, parse_sources
from tests.support.images import face_photo


def _write(folder: Path, *names: str) -> Path:
    """Two small pictures a pair, all different."""
    for number, name in enumerate(names):
        for seed, side in ((2 * number, "photos"), (2 * number + 1, "sketches")):
            write_image(folder / side / f"{name}.png", face_photo(seed)[::5, ::5])
    return folder


def test_options_name_sources_persons_and_splits() -> None:
    told = parse_sources(("a=x", "b=y/z"), ("b=_",), ("a=test",))
    assert told == [PairSource("a", Path("x"), "", "test"), PairSource("b", Path("y/z"), "_", "")]


@pytest.mark.parametrize(
    ("folders", "ends", "splits", "phrase"),
    [
        (("x",), (), (), "--pairs 'x': write NAME=VALUE"),
        (("a=x",), ("b=_",), (), r"--person-until names \['b'\]"),
        (("a=x",), (), ("b=test",), r"--split names \['b'\]"),
        (("a=x",), (), ("a=dev",), r"--split names \['dev'\]; known: train, validation, test"),
    ],
)
def test_wrong_options_are_refused_by_name(
    folders: tuple[str, ...], ends: tuple[str, ...], splits: tuple[str, ...], phrase: str
) -> None:
    with pytest.raises(InputError, match=phrase):
        parse_sources(folders, ends, splits)


def test_person_is_the_stem_up_to_a_text_and_keys_name_the_source(tmp_path: Path) -> None:
    source = PairSource("toy", _write(tmp_path, "ann_1", "ann_2"), person_until="_")
    assert [(p.key, p.subject) for p in source.pairs()] == [
        ("toy/ann_1", "toy/ann"), ("toy/ann_2", "toy/ann")
    ]  # fmt: skip


def test_pictures_used_twice_and_of_another_size_are_named(tmp_path: Path) -> None:
    folder = _write(tmp_path, "a", "b")
    pairs = list(PairSource("toy", folder).pairs())
    check_pairs(pairs, aligned=None)
    with pytest.raises(DataFolderError, match=r"2 pairs whose sizes .* toy/a \(photo 40×50"):
        check_pairs(pairs, aligned="cufs")
    (folder / "photos" / "b.png").write_bytes((folder / "photos" / "a.png").read_bytes())
    with pytest.raises(DataFolderError, match="photo of toy/b = photo of toy/a"):
        check_pairs(list(PairSource("toy", folder).pairs()), aligned=None)
