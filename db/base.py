"""The declarative base: naming of constraints, and the column types that all models share."""

from __future__ import annotations

import enum
import os
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    Integer,
    MetaData,
    String,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC; refuses a time without a zone, and always gives one back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Turn any zone into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"The time {value} has no zone; give it one, for example UTC.")
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Give SQLite's bare times their zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text of any length; refuses NUL, which PostgreSQL cannot store, on SQLite as well."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> str | None:
        """Refuse a NUL character."""
        if value is not None and "\x00" in value:
            raise ValueError("Text holds a NUL character.")
        return value


class Sha256Type(TypeDecorator[str]):
    """A SHA-256 as 64 lower-case hexadecimal digits; refuses anything else."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> str | None:
        """Refuse what is no SHA-256."""
        if value is not None and not _SHA256.match(value):
            raise ValueError(f"{value!r} is not a SHA-256 in 64 lower-case hexadecimal digits.")
        return value


def new_id() -> uuid.UUID:
    """Return a random identifier that sorts by its time of making, to a quarter microsecond.

    The order makes the primary key serve as the cursor of a page, and keeps new rows together
    in the index.

    Source:
        RFC 9562, section 5.7 (version 7), with the sub-millisecond fraction of section 6.2,
        method 3.
    """
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    fraction = rest_ns * 4096 // 1_000_000
    low = int.from_bytes(os.urandom(8)) >> 2
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | low
    return uuid.UUID(int=value)


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


JSON_DOCUMENT = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BIG_SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts by itself only in a column declared INTEGER, which there has 64 bits as well."""

JsonObject = dict[str, Any]
JsonList = list[Any]
Sha256 = Annotated[str, mapped_column(Sha256Type)]
Id = Annotated[uuid.UUID, mapped_column(primary_key=True, default=new_id)]
Serial = Annotated[int, mapped_column(BIG_SERIAL, primary_key=True)]
CreatedAt = Annotated[datetime, mapped_column(default=utc_now)]


class Base(DeclarativeBase):
    """Base of all models; annotations alone choose the column types below."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: PlainText(),
        datetime: UtcDateTime(),
        uuid.UUID: Uuid(),
        JsonObject: JSON_DOCUMENT,
        JsonList: JSON_DOCUMENT,
        enum.StrEnum: Enum(
            enum.StrEnum,
            native_enum=False,  # a new value needs no ALTER TYPE
            create_constraint=True,
            length=32,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


class Versioned:
    """Adds a counter that grows with each change, so that a stale writer is refused."""

    version: Mapped[int] = mapped_column(Integer)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as above
