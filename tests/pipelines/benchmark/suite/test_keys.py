from pathlib import Path

from pipelines.benchmark.suite.keys import code_key, data_key, digest, meaning, weights_key


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
    path = tmp_path / "module.py"
    keys = []
    for text in ('"""One."""\nx = 1\n', '"""Two."""\nx = 1  # why\n', '"""Two."""\nx = 2\n'):
        path.write_text(text)
        keys.append(meaning(path))
    assert keys[0] == keys[1] != keys[2]
    assert code_key() == code_key()


def test_weights_that_are_nowhere_have_no_key(tmp_path: Path) -> None:
    assert weights_key("csi-line", tmp_path) is not None
    assert weights_key("nothing", tmp_path) is None
    (tmp_path / "best-mine.json").write_text("{}")
    assert weights_key("best-mine", tmp_path) is not None


def test_a_digest_does_not_depend_on_order() -> None:
    assert digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"}) != digest({"a": "1"})
