from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensic.errors import LandmarksError, UnknownNameError
from forensic.faces.landmarks import (
    ALIGNED,
    NAMES,
    aligned_landmarks,
    load_landmarks,
    load_landmarks_by_file,
)
from forensic.files import write_json

FIVE = [[30.0, 40.0], [70.5, 41.0], [50.0, 60.0], [35.0, 80.0], [66.0, 81.0]]
NAMED = dict(zip(NAMES, FIVE, strict=True))


def _file(folder: Path, value: Any) -> Path:
    path = folder / "points.json"
    write_json(path, value)
    return path


@pytest.mark.parametrize("document", [{"landmarks": FIVE}, NAMED])
def test_both_forms_give_the_five_points(tmp_path: Path, document: Any) -> None:
    landmarks = load_landmarks(_file(tmp_path, document))
    assert landmarks.dtype == np.float32
    np.testing.assert_allclose(landmarks, FIVE)


def test_a_missing_nose_is_taken_from_the_mean_face(tmp_path: Path) -> None:
    # A copy of the mean face, twice as large and moved: the nose must be that of the copy.
    mean = ALIGNED["cufs"].landmarks * 2 + (11, -7)
    four = {n: p.tolist() for n, p in zip(NAMES, mean, strict=True) if n != "nose"}
    np.testing.assert_allclose(load_landmarks(_file(tmp_path, four)), mean, atol=1e-3)


def test_a_folder_of_landmarks_is_read_by_file_name(tmp_path: Path) -> None:
    path = _file(tmp_path, {"a.png": NAMED, "b.jpg": {"landmarks": FIVE}})
    found = load_landmarks_by_file(path)
    assert list(found) == ["a.png", "b.jpg"]
    np.testing.assert_allclose(found["b.jpg"], FIVE)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"landmarks": FIVE[:4]}, "five"),
        ({"landmarks": [*FIVE[:4], [1]]}, r"point 5.*\[x, y\]"),
        ({"landmarks": [*FIVE[:4], ["66", 81]]}, "point 5"),
        ({"landmarks": [*FIVE[:4], [True, 81]]}, "point 5"),
        ({n: p for n, p in NAMED.items() if n != "mouth_left"}, "missing mouth_left"),
        (NAMED | {"chin": [1, 2]}, "unknown chin"),
        ([1, 2], "object"),
        ({"landmarks": [FIVE[3], FIVE[4], FIVE[2], FIVE[0], FIVE[1]]}, "upright"),
    ],
)
def test_a_malformed_file_is_named_with_its_fault(
    tmp_path: Path, document: Any, complaint: str
) -> None:
    with pytest.raises(LandmarksError, match=f"(?s)points.json.*{complaint}"):
        load_landmarks(_file(tmp_path, document))


def test_a_malformed_entry_of_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(LandmarksError, match=r"b\.jpg.*five"):
        load_landmarks_by_file(_file(tmp_path, {"a.png": NAMED, "b.jpg": {"landmarks": []}}))


def test_missing_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LandmarksError, match=r"absent\.json"):
        load_landmarks(tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(LandmarksError, match=r"broken\.json is not JSON"):
        load_landmarks(tmp_path / "broken.json")


def test_cufs_has_its_published_eyes_and_only_its_own_size() -> None:
    landmarks = aligned_landmarks(np.zeros((250, 200, 3), np.uint8), "cufs")
    np.testing.assert_array_equal(landmarks[:2], [(75, 125), (125, 125)])
    landmarks[:] = 0
    assert ALIGNED["cufs"].landmarks.all()
    with pytest.raises(LandmarksError, match="200×250"):
        aligned_landmarks(np.zeros((200, 250, 3), np.uint8), "cufs")
    with pytest.raises(UnknownNameError, match="cufs"):
        aligned_landmarks(np.zeros((250, 200, 3), np.uint8), "cuffs")
