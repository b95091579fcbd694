import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forensic.weights.catalogue import load_catalogue
from pipelines.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(tmp_path))
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["weights", *args])


def test_list_says_what_is_missing(folder: Path) -> None:
    result = run("list")
    assert result.exit_code == 0
    line = next(line for line in result.stdout.splitlines() if line.startswith("vgg16"))
    assert "missing" in line
    assert "553.4 MB" in line
    assert str(folder) in result.stdout


def test_longest_name_stands_apart_from_its_state(folder: Path) -> None:
    longest = max(load_catalogue(), key=len)
    words = [line.split() for line in run("list").stdout.splitlines()]
    assert [longest, "bundled"] in [line[:2] for line in words]


def test_verify_names_a_damaged_file_and_exits_with_2(folder: Path) -> None:
    (folder / "vgg16-397923af.pth").write_bytes(b"damaged")
    result = run("verify", "vgg16")
    assert result.exit_code == 2
    assert "has SHA-256" in result.stdout
    assert "1 of 1 failed: vgg16" in result.stderr


def test_verify_of_missing_weights_names_the_command(folder: Path) -> None:
    result = run("verify", "facenet-vggface2")
    assert result.exit_code == 2
    assert "forensic weights fetch facenet-vggface2" in result.stdout


def test_card_with_results(folder: Path) -> None:
    results = folder / "results.json"
    results.write_text(json.dumps({"LFW": {"accuracy": {"rate": 0.9965, "pairs": 6000}}}))
    result = run("card", "facenet-vggface2", "--results", str(results))
    assert result.exit_code == 0
    assert "rate 0.9965, pairs 6000" in result.stdout


@pytest.mark.parametrize(
    "args",
    [
        ("card", "vgg16", "--results", "absent.json"),
        ("card", "vgg"),
        ("fetch", "csi-line"),
        ("fetch", "nothing"),
        ("fetch", "vgg16", "--sha256", "0" * 64),
    ],
)
def test_mistakes_exit_with_2_and_one_line(folder: Path, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []
