import inspect
import pickle
import re

import pytest

from forensic import errors
from forensic.errors import ForensicError, UnknownNameError


def classes() -> dict[str, type[Exception]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return {name: kind for name, kind in found if issubclass(kind, ForensicError)}


def test_drawn_tree_is_the_real_one() -> None:
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for prefix, name in re.findall(r"^    ([│├└─ ]*)(\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(prefix) // 4
        path[depth:] = [name]
        drawn[name] = path[depth - 1] if depth else None
    real = {name: kind.__mro__[1].__name__ for name, kind in classes().items()}
    real["ForensicError"] = None  # type: ignore[assignment]
    assert drawn == real


def test_unknown_name_says_what_was_meant() -> None:
    error = UnknownNameError("style", "lin", ["line", "color"], ["line"])
    assert str(error) == "Unknown style 'lin'. Did you mean 'line'? Known: color, line."
    assert (error.kind, error.name, error.nearest) == ("style", "lin", ("line",))


def test_unknown_name_without_a_near_one_lists_the_known() -> None:
    assert str(UnknownNameError("style", "x", ["b", "a"], [])) == "Unknown style 'x'. Known: a, b."


@pytest.mark.parametrize(
    "error",
    [
        UnknownNameError("style", "x", ["a"], []),
        errors.ManyFacesError("Two faces.", count=2),
        errors.HashMismatch("Changed.", expected_sha256="0" * 64, actual_sha256="1" * 64),
        errors.ShapeError("Flat.", actual_shape=(3,), expected_shape="(3, 3)"),
    ],
)
def test_errors_survive_the_way_out_of_a_worker_process(error: ForensicError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
