from pathlib import Path

import pytest

from forensic.errors import DataFolderError, LandmarksError
from forensic.files import write_json
from pipelines.benchmark.folders import list_distractors, pair_folders, quote, read_data


def _files(folder: Path, *names: str) -> Path:
    """Files are matched by name alone, so their content need be no image."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def _matches(photos: Path, sketches: Path) -> dict[str, str]:
    return {pair.probe_id: pair.photo.name for pair in pair_folders(photos, sketches)}


def test_suffixes_may_differ_and_order_is_that_of_the_names(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "b.jpg", "a.jpg")
    sketches = _files(tmp_path / "sketches", "a.png", "b.webp")
    pairs = pair_folders(photos, sketches)
    assert [(p.probe_id, p.sketch.name, p.photo.name) for p in pairs] == [
        ("a", "a.png", "a.jpg"),
        ("b", "b.webp", "b.jpg"),
    ]


def test_equal_paths_win_over_equal_stems(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "x/1.jpg", "y/1.jpg")
    sketches = _files(tmp_path / "sketches", "x/1.png", "y/1.png")
    assert _matches(photos, sketches) == {"x/1": "x/1.jpg", "y/1": "y/1.jpg"}


def test_a_stem_matches_across_sub_folders_where_it_is_unique(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "women/ann.jpg", "bob.jpg")
    sketches = _files(tmp_path / "sketches", "set1/ann.png", "set2/bob.png")
    assert _matches(photos, sketches) == {"set1/ann": "women/ann.jpg", "set2/bob": "bob.jpg"}


def test_ambiguous_stems_are_refused_by_name(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "x/1.jpg", "y/1.jpg")
    sketches = _files(tmp_path / "sketches", "1.png")
    with pytest.raises(DataFolderError, match="x/1 = y/1"):
        pair_folders(photos, sketches)


def test_one_name_with_two_suffixes_is_refused(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "a.jpg", "a.png")
    sketches = _files(tmp_path / "sketches", "a.png")
    with pytest.raises(DataFolderError, match="different suffixes: a"):
        pair_folders(photos, sketches)


@pytest.mark.parametrize(
    ("extra", "message"),
    [("sketches/lost.png", "sketches without a partner: lost"),
     ("photos/lost.png", "photos without a partner: lost")],
)  # fmt: skip
def test_unmatched_files_are_named_with_the_remedy(
    tmp_path: Path, extra: str, message: str
) -> None:
    _files(tmp_path, "photos/a.jpg", "sketches/a.jpg", extra)
    with pytest.raises(DataFolderError, match=message) as caught:
        pair_folders(tmp_path / "photos", tmp_path / "sketches")
    assert "--distractors" in str(caught.value)


def test_missing_and_empty_folders_are_refused(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "a.jpg")
    with pytest.raises(DataFolderError, match="not a folder"):
        pair_folders(photos, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFolderError, match="holds no image"):
        pair_folders(tmp_path / "empty", photos)


def test_copies_of_a_mate_or_of_each_other_are_no_distractors(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "a.jpg")
    sketches = _files(tmp_path / "sketches", "a.png")
    others = _files(tmp_path / "others", "b.jpg")
    (others / "copy-of-a.jpg").write_bytes((photos / "a.jpg").read_bytes())
    (others / "copy-of-b.jpg").write_bytes((others / "b.jpg").read_bytes())
    kept, left_out = list_distractors([others, others], pair_folders(photos, sketches))
    assert [image.name for image in kept] == ["1:others/b.jpg"]
    assert left_out == [
        "1:others/copy-of-a.jpg",
        "1:others/copy-of-b.jpg",
        "2:others/b.jpg",
        "2:others/copy-of-a.jpg",
        "2:others/copy-of-b.jpg",
    ]


POINTS = {"landmarks": [[70, 100], [130, 100], [100, 130], [80, 160], [120, 160]]}


def test_given_landmarks_find_sketches_and_photos(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "a.jpg", "b.jpg")
    sketches = _files(tmp_path / "sketches", "a.png", "b.png")
    write_json(tmp_path / "l.json", {"a": POINTS, "b.png": POINTS, "photos/a.jpg": POINTS})
    given = read_data(photos, sketches, landmarks=tmp_path / "l.json").given
    assert {role: sorted(names) for role, names in given.items() if names} == {
        "sketch": ["a.png", "b.png"],
        "photo": ["a.jpg"],
    }


def test_given_landmarks_of_strangers_and_of_a_calibration_set(tmp_path: Path) -> None:
    photos, sketches = _files(tmp_path / "photos", "a.jpg"), _files(tmp_path / "sketches", "a.png")
    known = _files(tmp_path / "kp", "k.jpg"), _files(tmp_path / "ks", "k.png")
    strangers = _files(tmp_path / "strangers", "z.png")
    keys = ("non-mated/z.png", "calibration/photos/k.jpg", "calibration/sketches/k.png")
    write_json(tmp_path / "l.json", dict.fromkeys(keys, POINTS))
    data = read_data(
        photos, sketches, landmarks=tmp_path / "l.json", nonmated=strangers, calibration=known
    )
    assert {role: list(names) for role, names in data.given.items() if names} == {
        "non-mated": ["z.png"], "calibration-photo": ["k.jpg"], "calibration-sketch": ["k.png"]
    }  # fmt: skip
    assert list(data.roles()) == [
        "sketch", "photo", "distractor", "non-mated", "calibration-sketch", "calibration-photo"
    ]  # fmt: skip


def test_landmarks_of_an_unknown_image_are_refused(tmp_path: Path) -> None:
    photos = _files(tmp_path / "photos", "a.jpg")
    sketches = _files(tmp_path / "sketches", "a.png")
    write_json(tmp_path / "l.json", {"typo.png": POINTS})
    with pytest.raises(LandmarksError, match=r"typo\.png"):
        read_data(photos, sketches, landmarks=tmp_path / "l.json")


def test_long_lists_are_cut() -> None:
    assert quote(str(i) for i in range(9)) == "0, 1, 2, 3, 4 and 4 more"
