"""Docstrings say what a function raises, and every test says what it expects."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from forensic import check, errors

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for name in ("forensic", "pipelines", "db") for p in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
OURS = {name for name, kind in vars(errors).items() if isinstance(kind, type)} - {"Iterable"}

EXPECTATIONS = {"raises", "fail", "warns", "run_state_machine_as_test"}
"""Calls that fail a test by themselves, beside `assert` and `assert_...`."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def errors_under_raises(docstring: str | None) -> set[str]:
    """Return the names listed in a docstring's Raises section."""
    _, found, section = (docstring or "").partition("Raises:\n")
    if not found:
        return set()
    lines = section.splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    body = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            break
        body.append(line[indent:])
    names = {line.split(":")[0] for line in body if line and not line.startswith(" ")}
    return {name.rpartition(".")[2] for line in names for name in line.replace(",", " ").split()}


def raised_in(node: ast.AST) -> Iterator[str]:
    """Yield the names of our errors that a function raises in its own body."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(child, ast.Raise) and child.exc is not None:
            error = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            name = error.attr if isinstance(error, ast.Attribute) else getattr(error, "id", "")
            if name in OURS:
                yield name
        yield from raised_in(child)


def guards_called_in(node: ast.AST) -> Iterator[str]:
    """Yield the guards of `forensic.check` that a function calls and whose errors it lets pass."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try) and child.handlers:
            continue
        if isinstance(child, ast.Call) and getattr(child.func, "id", "") in GUARDS:
            yield child.func.id  # type: ignore[attr-defined]
        yield from guards_called_in(child)


def public_functions(tree: ast.Module) -> Iterator[tuple[str, Function, str | None]]:
    """Yield name, node and the docstring that speaks for each public function and method."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_") and not is_command(node):
            yield node.name, node, ast.get_docstring(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if not isinstance(method, Function):
                    continue
                is_dunder = method.name.startswith("__") and method.name.endswith("__")
                if is_dunder or not method.name.startswith("_"):
                    own = ast.get_docstring(method)
                    text = own if own or not is_dunder else ast.get_docstring(node)
                    yield f"{node.name}.{method.name}", method, text


def is_command(node: Function) -> bool:
    """Answer whether a function is a command, whose docstring is its help text."""
    return any(
        ".command(" in ast.unparse(d) or ".group(" in ast.unparse(d) for d in node.decorator_list
    )


GUARDS = {
    name: errors_under_raises(inspect.getdoc(function))
    for name, function in vars(check).items()
    if name.startswith("check_")
}


def parents_of(name: str) -> set[str]:
    kind = vars(errors)[name]
    return {parent.__name__ for parent in kind.__mro__}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_public_functions_list_what_they_raise(path: Path) -> None:
    silent = []
    for name, node, docstring in public_functions(ast.parse(path.read_text(encoding="utf-8"))):
        told = errors_under_raises(docstring)
        raised = set(raised_in(node)) | {
            e for guard in guards_called_in(node) for e in GUARDS[guard]
        }
        silent += [f"{name} raises {e}" for e in sorted(raised) if not parents_of(e) & told]
    assert not silent, f"missing under Raises: in {path}: {'; '.join(silent)}"


@pytest.mark.parametrize("path", TESTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_test_asserts_or_expects_an_error(path: Path) -> None:
    idle = [
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function) and node.name.startswith("test") and not expects(node)
    ]
    assert not idle, f"tests that can not fail in {path}: {', '.join(idle)}"


def expects(test: ast.AST) -> bool:
    """Answer whether a test contains an assertion or the expectation of an error."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = name or getattr(node.func, "id", "")
            if name.startswith("assert_") or name in EXPECTATIONS:
                return True
    return False


def test_the_check_itself_finds_a_silent_function() -> None:
    tree = ast.parse(
        "def f(x):\n    '''Do.\n\n    Raises:\n        ShapeError: Never.\n    '''\n"
        "    check_range(x, 0, 1, name='x')\n    raise errors.RecipeError('no')\n"
    )
    ((_, node, docstring),) = public_functions(tree)
    assert errors_under_raises(docstring) == {"ShapeError"}
    assert set(raised_in(node)) == {"RecipeError"}
    assert set(guards_called_in(node)) == {"check_range"}
    assert GUARDS["check_range"] == {"RangeError"}
    assert not expects(ast.parse("def test(): pytest.approx(1, 2)"))
