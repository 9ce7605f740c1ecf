"""Count the SQL statements that a page runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from portal.extensions import db

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Collect the SQL statements run within the block, without BEGIN, COMMIT and PRAGMA."""
    ran: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            ran.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", record)
    try:
        yield ran
    finally:
        event.remove(engine, "before_cursor_execute", record)
