from pathlib import Path

import pytest

from forensic.errors import RecipeError
from pipelines.benchmark.suite.keys import (
    code_key,
    data_key,
    digest,
    meaning,
    modules_behind,
    weights_key,
)


def test_a_file_is_known_by_its_content_and_a_folder_by_names_and_sizes(tmp_path: Path) -> None:
    picture = tmp_path / "photos" / "a.png"
    picture.parent.mkdir()
    picture.write_bytes(b"one")
    file_before, folder_before = data_key(picture), data_key(tmp_path)
    picture.write_bytes(b"two")
    assert data_key(picture) != file_before
    assert data_key(tmp_path) == folder_before
    picture.rename(picture.with_name("b.png"))
    assert data_key(tmp_path) != folder_before


def test_comments_and_docstrings_change_no_code(tmp_path: Path) -> None:
    keys: list[str] = []
    for text in ('"""One."""\nx = 1\n', '"""Two."""\nx = 1  # why\n', '"""Two."""\nx = 2\n'):
        path = tmp_path / str(len(keys)) / "module.py"
        path.parent.mkdir()
        path.write_text(text)
        keys.append(meaning(path))
    assert keys[0] == keys[1] != keys[2]


def test_only_code_behind_a_command_counts() -> None:
    behind = {
        f"{path.parent.name}/{path.name}" for path in modules_behind("pipelines.benchmark.lfw")
    }
    assert {"benchmark/lfw.py", "benchmark/scoring.py", "stats/binomial.py"} <= behind
    assert "embedders/sketchface.py" in behind  # imported by what it imports
    for other in ("benchmark/cohorts.py", "benchmark/cli.py", "reports/html.py", "tasks/csi.py"):
        assert other not in behind
    assert code_key("benchmark lfw --out {out}") != code_key("benchmark verify --out {out}")
    with pytest.raises(RecipeError, match="serve"):
        code_key("serve --out {out}")


def test_weights_that_are_nowhere_have_no_key(tmp_path: Path) -> None:
    assert weights_key("csi-line", tmp_path) is not None
    assert weights_key("nothing", tmp_path) is None
    (tmp_path / "best-mine.json").write_text("{}")
    assert weights_key("best-mine", tmp_path) is not None


def test_a_digest_does_not_depend_on_order() -> None:
    assert digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"}) != digest({"a": "1"})
