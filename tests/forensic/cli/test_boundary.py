import click
import pytest
from click.testing import CliRunner

from forensic.cli.boundary import LazyGroup
from forensic.errors import (
    DeviceError,
    EmptyGallery,
    HashMismatch,
    MissingWeights,
    NoFaceError,
    RecipeError,
    TrainingError,
    UnknownNameError,
)


def run(error: BaseException) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a command that raises."""

    @click.group(cls=LazyGroup)
    def main() -> None:
        """Test group."""

    @main.command()
    def fail() -> None:
        """Raise."""
        raise error

    result = CliRunner().invoke(main, ["fail"])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    "error",
    [
        NoFaceError("No face."),
        UnknownNameError("style", "lime", ["line"], ["line"]),
        MissingWeights("Fetch them."),
        HashMismatch("Damaged.", expected_sha256="0", actual_sha256="1"),
        EmptyGallery("Nobody."),
        DeviceError("No CUDA."),
        RecipeError("training.steps: wrong."),
    ],
)
def test_what_the_user_can_mend_exits_with_2_and_one_line(error: Exception) -> None:
    assert run(error) == (2, "", f"Error: {error}\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (TrainingError("Loss is not a number."), "Error: Loss is not a number.\n"),
        (PermissionError(13, "Permission denied", "/x"), "Error: /x: Permission denied.\n"),
        (OSError(28, "No space left on device"), "Error: No space left on device.\n"),
    ],
)
def test_a_failure_exits_with_1_and_one_line(error: Exception, line: str) -> None:
    assert run(error) == (1, "", line)


def test_a_surprise_gives_no_traceback_but_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, stderr = run(RuntimeError("odd"))
    assert code == 1
    assert stderr.startswith("Error: RuntimeError: odd.")
    assert "FORENSIC_TRACEBACK=1" in stderr
    assert "Traceback" not in stderr


def test_a_traceback_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSIC_TRACEBACK", "1")

    @click.group(cls=LazyGroup)
    def main() -> None:
        """Test group."""

    @main.command()
    def fail() -> None:
        """Raise."""
        raise NoFaceError("No face.")

    assert isinstance(CliRunner().invoke(main, ["fail"]).exception, NoFaceError)


def test_listing_does_not_import_and_invoking_does() -> None:
    group = LazyGroup("g", lazy={"absent": ("no.such.module:command", "Not there.")})
    listing = CliRunner().invoke(group, ["--help"])
    assert listing.exit_code == 0
    assert "absent  Not there." in listing.stdout
    assert CliRunner().invoke(group, ["absent"]).exit_code == 1


def test_wrong_usage_exits_with_2() -> None:
    group = LazyGroup("g", lazy={})
    result = CliRunner().invoke(group, ["nonsense"])
    assert result.exit_code == 2
    assert "No such command" in result.stderr
