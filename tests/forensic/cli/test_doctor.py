from pathlib import Path

import pytest
from click.testing import CliRunner

from forensic.cli import doctor
from forensic.cli.doctor import Finding, examine
from pipelines.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(tmp_path))
    return tmp_path


def test_it_knows_this_machine() -> None:
    found = {f.subject: f for f in examine()}
    assert found["python"].state == "ok"
    assert found["torch"].text.startswith("2.11")
    assert found["faiss"].state == "ok"
    assert found["weights facenet-vggface2"].state == "note"
    assert "forensic weights fetch facenet-vggface2" in found["weights facenet-vggface2"].text


def test_a_damaged_file_is_reported(folder: Path) -> None:
    (folder / "vgg16-397923af.pth").write_bytes(b"damaged")
    found = {f.subject: f for f in examine()}
    assert "has SHA-256" in found["weights vgg16"].text


def test_the_longest_subject_stands_apart_from_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = "weights " + "very-" * 20 + "long"
    findings = [Finding("thing", "is so", "ok"), Finding(longest, "intact", "ok")]
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    short, long, _ = CliRunner().invoke(main, ["doctor"]).stdout.splitlines()
    assert long.endswith(f"{longest}  intact")
    assert short.index("is so") == long.index("intact")


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("note", 0), ("bad", 1)])
def test_only_essentials_make_it_fail(
    monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("thing", "is so", state)])
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == code
    assert "thing" in result.stdout
