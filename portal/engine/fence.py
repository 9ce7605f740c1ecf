"""The fence around a session's commits: what must agree before a transaction that has written may commit."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.orm import SessionTransaction

_FENCE, _HAS_WRITTEN = "portal.fence", "portal.has_written"
"""Keys in Session.info and Connection.info."""


class Guard(Protocol):
    """What must agree to the commits of a session."""

    def before_commit(self, connection: Connection, *, has_written: bool) -> None:
        """Agree to the commit, with statements in the same transaction. Raises an exception to prevent it."""

    def after_commit(self) -> None:
        """Note that the commit that it agreed to has happened."""


@dataclass(slots=True)
class _Fence:
    """A session's guards, and its connection while a transaction is open."""

    guards: list[Guard] = field(default_factory=list)
    connection: Connection | None = None
    is_agreed: bool = False


@contextmanager
def guarded(session: Session, guard: Guard) -> Iterator[None]:
    """Ask ``guard`` before every commit of the session in the block. No transaction may be open at the start."""
    fence: _Fence = session.info.setdefault(_FENCE, _Fence())
    fence.guards.append(guard)
    try:
        yield
    finally:
        fence.guards.remove(guard)


def _fence(session: Session) -> _Fence | None:
    found: _Fence | None = session.info.get(_FENCE)
    return found if found is not None and found.guards else None


@event.listens_for(Engine, "begin")
def _forget_writes(connection: Connection) -> None:
    connection.info.pop(_HAS_WRITTEN, None)


@event.listens_for(Engine, "before_cursor_execute")
def _note_write(connection: Connection, _cursor: Any, _sql: str, _values: Any, context: Any, _many: bool) -> None:
    """Note that the transaction has written. Every statement other than a SELECT counts."""
    if context.compiled is not None and not getattr(context.compiled.statement, "is_select", False):
        connection.info[_HAS_WRITTEN] = True


@event.listens_for(Session, "after_begin")
def _note_connection(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if (fence := _fence(session)) is not None:
        fence.connection = connection


@event.listens_for(Session, "before_commit")
def _ask_guards(session: Session) -> None:
    fence = _fence(session)
    if fence is None or session.in_nested_transaction():
        return
    session.flush()
    if (connection := fence.connection) is None:
        return
    has_written = connection.info.get(_HAS_WRITTEN, False)
    for guard in fence.guards:
        guard.before_commit(connection, has_written=has_written)
    fence.is_agreed = True


@event.listens_for(Session, "after_commit")
def _tell_guards(session: Session) -> None:
    fence = _fence(session)
    if fence is not None and fence.is_agreed:
        for guard in fence.guards:
            guard.after_commit()


@event.listens_for(Session, "after_transaction_end")
def _forget_connection(session: Session, transaction: SessionTransaction) -> None:
    if (fence := _fence(session)) is not None and transaction.parent is None:
        fence.connection, fence.is_agreed = None, False
