import pytest

from forensic.errors import UnknownNameError
from forensic.registry import Registry

STYLES = Registry("style", {"line": 1, "color": 2, "pencil-gray": 3})


def test_lists_sorted() -> None:
    assert list(STYLES) == ["color", "line", "pencil-gray"]
    assert len(STYLES) == 3
    assert "line" in STYLES
    assert "lines" not in STYLES


def test_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'pencil-gray'") as caught:
        STYLES["pencil-grey"]
    assert caught.value.nearest[0] == "pencil-gray"


def test_table_does_not_follow_its_source() -> None:
    source = {"a": 1}
    table = Registry("thing", source)
    source["b"] = 2
    assert list(table) == ["a"]
