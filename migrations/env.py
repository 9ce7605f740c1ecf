"""Alembic's environment: the app's engine, one transaction per migration, and plain column types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import Enum

from portal.models.base import Base, UtcDateTime
from portal.schema import is_of_models

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Render our own column types as plain ones, because a migration must not depend on today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


with current_app.extensions["migrate"].db.engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        # SQLite alters a table by copying it and dropping the old one. With foreign keys on, that fails if other rows
        # refer to it. They can only be turned off outside a transaction, so this bypasses SQLAlchemy, which would begin
        # one. Detaching closes the connection at the end instead of returning it to the pool.
        connection.detach()
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        include_object=is_of_models,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
