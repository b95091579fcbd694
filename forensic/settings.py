"""Settings of the service: where and how it runs. Read by `forensic.web`, the worker and commands.

They come from `FORENSIC_*` variables, then from the TOML file that `FORENSIC_SETTINGS` names, then
from the defaults below; unknown names are refused. `deploy/README.md` lists every one. Nothing
below the web, the worker and the commands sees a `Settings`: they pass plain arguments on.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import hmac
import os
import secrets
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from forensic.errors import SettingsError

PREFIX = "FORENSIC_"
FILE_VARIABLE = "FORENSIC_SETTINGS"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, "FORENSIC_TRACEBACK", "FORENSIC_WEIGHTS"})
"""Variables that commands read themselves; names with `FORENSIC_TEST_` belong to the tests."""
SECRET_LENGTH_MIN = 32


class Settings(BaseSettings):
    """Where and how the service runs; frozen once read."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    mode: Literal["production", "development"] = Field(
        default="production",
        description="`development` allows plain HTTP on this machine and a secret key of its own",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="signs cookies and cursors; at least 32 characters; keep it secret",
    )
    data_folder: Path = Field(
        default=Path("forensic-data"),
        description="folder of everything below that names no other place",
    )
    database_url: str = Field(
        default="", description="records; default `DATA_FOLDER/records.db` (SQLite)"
    )
    files_url: str = Field(
        default="", description="sketches, photos, reports: a folder or `s3://bucket/prefix`"
    )
    queue_url: str = Field(
        default="", description="queue of jobs: `redis://host/0`, default `DATA_FOLDER/queue.db`"
    )
    galleries_folder: Path | None = Field(
        default=None, description="published gallery indexes; default `DATA_FOLDER/galleries`"
    )
    address: str = Field(default="127.0.0.1", description="address the web listens on")
    port: int = Field(default=8000, ge=1, le=65535, description="port the web listens on")
    web_threads: int = Field(default=32, ge=1, le=512, description="requests answered at once")
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description="reverse proxies in front, whose X-Forwarded-* are believed",
    )
    rate_storage_url: str = Field(
        default="memory://",
        description="where requests are counted; `redis://host/1` for several webs",
    )
    requests_per_minute: int = Field(
        default=1200, ge=1, description="of one person or key, or of one address before sign-in"
    )
    sign_ins_per_minute: int = Field(default=30, ge=1, description="attempts from one address")
    lock_after: int = Field(default=5, ge=1, description="wrong passwords that lock an account")
    lock_minutes: int = Field(default=15, ge=1, description="how long an account stays locked")
    password_length_min: int = Field(
        default=12, ge=8, le=128, description="characters of a password"
    )
    session_minutes: int = Field(default=720, ge=1, description="longest life of a session")
    idle_minutes: int = Field(default=30, ge=1, description="life of a session that is not used")
    sketch_bytes_max: int = Field(default=10 * 2**20, ge=1, description="largest uploaded sketch")
    import_bytes_max: int = Field(
        default=4 * 2**30, ge=1, description="largest uploaded gallery ZIP"
    )
    request_bytes_max: int = Field(
        default=2**20, ge=1024, description="largest body of other requests"
    )
    metrics_key: SecretStr | None = Field(
        default=None,
        description="bearer key for /metrics; without one only this machine may read it",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="least level that is logged"
    )
    device: str = Field(default="cpu", description="of the worker: `cpu`, `cuda` or `cuda:N`")
    worker_port: int = Field(
        default=8791, ge=1, le=65535, description="loopback port of the worker, for live previews"
    )
    worker_token: SecretStr | None = Field(
        default=None, description="shared by web and worker; default derived from the secret key"
    )
    lease_s: float = Field(
        default=60.0,
        gt=0,
        description="seconds after which a silent worker's job is taken up again",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then variables, then the file."""
        path = os.environ.get(FILE_VARIABLE)
        file = (TomlConfigSettingsSource(settings_cls, Path(path)),) if path else ()
        return (init_settings, env_settings, *file)

    @model_validator(mode="after")
    def _check_secret(self) -> Settings:
        key = self.secret_key
        if key is None and self.mode == "production":
            raise ValueError(
                "secret_key: production needs one. Set FORENSIC_SECRET_KEY, for example to the "
                "output of: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        if key is not None and len(key.get_secret_value()) < SECRET_LENGTH_MIN:
            raise ValueError(f"secret_key: give at least {SECRET_LENGTH_MIN} characters")
        return self

    @property
    def is_production(self) -> bool:
        """Whether people depend on this service."""
        return self.mode == "production"

    @property
    def records_url(self) -> str:
        """URL of the database."""
        return self.database_url or f"sqlite:///{self.data_folder.absolute() / 'records.db'}"

    @property
    def store_url(self) -> str:
        """URL or folder of the file store."""
        return self.files_url or str(self.data_folder.absolute() / "files")

    @property
    def jobs_url(self) -> str:
        """URL of the queue."""
        return self.queue_url or f"sqlite:///{self.data_folder.absolute() / 'queue.db'}"

    @property
    def indexes_folder(self) -> Path:
        """Folder of the published gallery indexes."""
        return (self.galleries_folder or self.data_folder / "galleries").absolute()

    def derive_key(self, purpose: str) -> str:
        """Return a key for one purpose, 64 hexadecimal digits, derived from the secret key.

        Raises:
            SettingsError: There is no secret key.
        """
        if self.secret_key is None:
            raise SettingsError("secret_key is not set: set FORENSIC_SECRET_KEY.")
        secret = self.secret_key.get_secret_value().encode()
        return hmac.new(secret, purpose.encode(), hashlib.sha256).hexdigest()

    @property
    def preview_token(self) -> str:
        """What web and worker show each other on the loopback."""
        given = self.worker_token
        return given.get_secret_value() if given else self.derive_key("worker")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment and the file that it names.

    Args:
        environ: Names to check for misspelling; `os.environ` unless given.

    Raises:
        SettingsError: One is unknown, missing or wrong; the message names it, without its value.
    """
    _refuse_unknown(os.environ if environ is None else environ)
    path = os.environ.get(FILE_VARIABLE)
    if path and not Path(path).is_file():
        raise SettingsError(f"There is no file {path}, which {FILE_VARIABLE} names.")
    try:
        return _with_secret(Settings())
    except ValidationError as error:
        raise SettingsError(_tell(error)) from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The file named by {FILE_VARIABLE} cannot be read: {error}.") from None


def _with_secret(settings: Settings) -> Settings:
    """Give a development service a secret key of its own, kept in its data folder."""
    if settings.secret_key is not None:
        return settings
    path = settings.data_folder / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        _create_secret(path)
    return settings.model_copy(update={"secret_key": SecretStr(path.read_text().strip())})


def _create_secret(path: Path) -> None:
    """Write a new secret, whole and readable by its owner only; the first of several wins."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(SECRET_LENGTH_MIN))
    with contextlib.suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    for name in sorted(environ):
        if name.startswith("FORENSIC_TEST_") or not name.startswith(PREFIX) or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise SettingsError(f"There is no setting {name}.{hint} See deploy/README.md.")


def _tell(error: ValidationError) -> str:
    """Return one line for all that is wrong; values are left out, some are secret."""
    told = []
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        told.append(f"{place}: {message}" if place else message)
    return "Settings: " + "; ".join(told) + "."
