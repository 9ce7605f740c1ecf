"""The declarative base: constraint names, UTC times, and enums stored as plain text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import DateTime, Enum, MetaData, String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from enum import StrEnum

    from sqlalchemy import Dialect

_Key = TypeVar("_Key")

MAX_ID = 2_147_483_647
"""Largest row id that fits the id columns (32-bit integers on PostgreSQL)."""


IN_CHUNK = 500
"""Maximum number of keys in one query's IN list."""


def chunks(keys: Sequence[_Key]) -> Iterator[Sequence[_Key]]:
    """Split keys into parts that each fit into one query."""
    for start in range(0, len(keys), IN_CHUNK):
        yield keys[start : start + IN_CHUNK]


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time, even on SQLite, which doesn't store a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def text_enum(kind: type[StrEnum], name: str, length: int = 32, *, is_checked: bool = True) -> Enum:
    """Return a column type that stores a StrEnum's value as text, with a CHECK that allows only its members.

    ``name`` names the CHECK (ck_<table>_<name>). Adding a member needs a migration that replaces the CHECK. Unless it
    ``is_checked``, the column has none: SQLite can't add one to a table without copying it.
    """
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=is_checked,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime,
        str: String,
    }
