from pathlib import Path

import pytest

from forensic.errors import InputError
from pipelines.benchmark.suite.pages import marks, write_tables

PAGE = """# Figures

Prose.
<!-- table: one -->
old
<!-- end -->
More prose, 5 %.

<!-- table: two -->
<!-- end -->
"""


def _page(folder: Path, text: str = PAGE) -> Path:
    path = folder / "README.md"
    path.write_text(text)
    return path


def test_only_what_lies_between_marks_is_written(tmp_path: Path) -> None:
    page = _page(tmp_path)
    assert marks(page) == ["one", "two"]
    assert write_tables(page, {"one": "| new |", "three": "| none |"}) == ["one"]
    text = page.read_text()
    assert text == PAGE.replace("\nold\n", "\n\n| new |\n\n")


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    page, tables = _page(tmp_path), {"one": "| a |\n| b |", "two": "| c |"}
    assert write_tables(page, tables) == ["one", "two"]
    before = page.read_bytes(), page.stat().st_mtime_ns
    assert write_tables(page, tables) == []
    assert (page.read_bytes(), page.stat().st_mtime_ns) == before
    assert write_tables(page, {"two": "| d |"}) == ["two"]
    assert "| b |" in page.read_text()


@pytest.mark.parametrize("cut", ["old\n<!-- end -->\n", "<!-- end -->\nMore"])
def test_a_mark_without_an_end_is_refused_and_nothing_written(tmp_path: Path, cut: str) -> None:
    page = _page(tmp_path, PAGE.replace(cut, "", 1))
    before = page.read_text()
    with pytest.raises(InputError, match="table: one"):
        write_tables(page, {"one": "| new |"})
    assert page.read_text() == before


def test_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for use in (marks, lambda page: write_tables(page, {})):
        with pytest.raises(InputError, match="cannot be read"):
            use(tmp_path / "nothing.md")
