from __future__ import annotations

import os
from pathlib import Path

import pytest

from forensic.errors import SettingsError
from forensic.settings import FILE_VARIABLE, load_settings

SECRET = "0123456789" * 4


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("FORENSIC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FORENSIC_DATA_FOLDER", str(tmp_path / "data"))
    return monkeypatch


def test_production_does_not_start_without_a_secret(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="FORENSIC_SECRET_KEY"):
        load_settings()


def test_short_secret_is_refused_without_being_told(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FORENSIC_SECRET_KEY", "swordfish")
    with pytest.raises(SettingsError, match="secret_key") as refused:
        load_settings()
    assert "swordfish" not in str(refused.value)


def test_secrets_do_not_show(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FORENSIC_SECRET_KEY", SECRET)
    assert SECRET not in repr(load_settings())


def test_file_gives_what_the_environment_does_not(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "forensic.toml"
    path.write_text(f'secret_key = "{SECRET}"\nport = 9000\nlock_after = 3\n')
    environment.setenv(FILE_VARIABLE, str(path))
    environment.setenv("FORENSIC_PORT", "9001")
    settings = load_settings()
    assert (settings.port, settings.lock_after) == (9001, 3)


@pytest.mark.parametrize("text", ["portt = 1", "port = 'x'", "port = 0", "port ="])
def test_wrong_file_is_refused(environment: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    path = tmp_path / "forensic.toml"
    path.write_text(f'secret_key = "{SECRET}"\n{text}\n')
    environment.setenv(FILE_VARIABLE, str(path))
    with pytest.raises(SettingsError):
        load_settings()


def test_missing_file_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv(FILE_VARIABLE, "/nowhere/forensic.toml")
    environment.setenv("FORENSIC_SECRET_KEY", SECRET)
    with pytest.raises(SettingsError, match=r"forensic\.toml"):
        load_settings()


def test_misspelt_variable_is_refused_with_the_right_name(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("FORENSIC_SECRET_KEY", SECRET)
    environment.setenv("FORENSIC_PROT", "9000")
    with pytest.raises(SettingsError, match="Did you mean FORENSIC_PORT"):
        load_settings()


def test_development_makes_and_keeps_a_secret_of_its_own(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("FORENSIC_MODE", "development")
    first, second = load_settings(), load_settings()
    assert first.derive_key("x") == second.derive_key("x")
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o077 == 0


def test_keys_for_different_purposes_differ(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FORENSIC_SECRET_KEY", SECRET)
    settings = load_settings()
    keys = {settings.derive_key("cookies"), settings.derive_key("cursors"), settings.preview_token}
    assert len(keys) == 3
    assert SECRET not in "".join(keys)
