"""Leases: one worker at a time. A lease is a row, taken by a conditional update and renewed while its owner runs."""

from __future__ import annotations

import logging
import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, Engine, Table, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from portal.models import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEW_EVERY = 8.0
"""Seconds between renewals."""
TRY_EVERY = 0.5
"""Seconds between tries while another owner holds the lease."""

_table = cast("Table", Lease.__table__)


class LeaseKind(StrEnum):
    """Work that only one worker at a time may do, for a store (READ, DRY_RUN) or for a merchant (SUBMIT, TRACK)."""

    READ = "read"
    SUBMIT = "submit"
    TRACK = "track"
    DRY_RUN = "rehearse"

    def of(self, store_or_merchant_id: int) -> str:
        """Return the name of the lease for this store or merchant."""
        return f"{self}:{store_or_merchant_id}"


class LeaseTakenError(Exception):
    """Another worker holds the lease."""


class HeldLease:
    """A lease that this worker holds. ``owner`` marks the orders claimed under it."""

    def __init__(self, name: str, owner: str) -> None:
        self.name = name
        self.owner = owner
        self.until = datetime.now(UTC) + LEASE
        self._lost = threading.Event()

    @property
    def lost(self) -> bool:
        """Whether another worker may have taken it over.

        True as soon as it expires, even if the process was suspended and the renewing thread has not run again yet.
        """
        return self._lost.is_set() or datetime.now(UTC) >= self.until

    def mark_lost(self) -> None:
        self._lost.set()


@contextmanager
def leased(
    session: Session, name: str, *, wait: float = 0.0, waiting: Callable[[], None] | None = None
) -> Iterator[HeldLease]:
    """Hold the lease ``name`` for the block; a thread renews it while this process runs.

    Raises LeaseTakenError if another owner still holds it after ``wait`` seconds; ``waiting`` is called once if it has
    to wait. A dead owner's lease expires 30 seconds after its last renewal.
    """
    engine = cast("Engine", session.get_bind())
    session.commit()
    held = HeldLease(name, uuid.uuid4().hex)
    _take_within(engine, held, wait, waiting)
    stop = threading.Event()
    renewer = threading.Thread(target=_renew, args=(engine, held, stop), name=f"lease {name}", daemon=True)
    renewer.start()
    try:
        yield held
    finally:
        stop.set()
        session.rollback()
        renewer.join()
        with engine.begin() as connection:
            _set_until(connection, held, datetime.now(UTC))


def _take_within(engine: Engine, held: HeldLease, wait: float, waiting: Callable[[], None] | None) -> None:
    pause = threading.Event()
    deadline = datetime.now(UTC) + timedelta(seconds=wait)
    while not _take(engine, held):
        if datetime.now(UTC) >= deadline:
            raise LeaseTakenError(held.name)
        if waiting:
            waiting()
            waiting = None
        pause.wait(TRY_EVERY)


def _take(engine: Engine, held: HeldLease) -> bool:
    now = datetime.now(UTC)
    held.until = now + LEASE
    with engine.begin() as connection:
        taken = cast(
            "CursorResult[object]",
            connection.execute(
                update(_table)
                .where(_table.c.name == held.name, _table.c.until <= now)
                .values(owner=held.owner, until=now + LEASE)
            ),
        )
        if taken.rowcount == 1:
            return True
        if connection.execute(select(_table.c.name).where(_table.c.name == held.name)).first():
            return False
    try:
        with engine.begin() as connection:
            connection.execute(insert(_table).values(name=held.name, owner=held.owner, until=now + LEASE))
    except IntegrityError:
        return False
    return True


def _renew(engine: Engine, held: HeldLease, stop: threading.Event) -> None:
    while not stop.wait(RENEW_EVERY):
        now = datetime.now(UTC)
        try:
            with engine.begin() as connection:
                still_ours = _set_until(connection, held, now + LEASE)
        except SQLAlchemyError:
            log.warning("lease.not_renewed", extra={"lease": held.name}, exc_info=True)
            # A failed renewal may have taken longer than the lease lasts.
            still_ours = not held.lost
        else:
            if still_ours:
                held.until = now + LEASE
        if not still_ours:
            held.mark_lost()
            log.warning("lease.lost", extra={"lease": held.name})
            return


def _set_until(connection: Connection, held: HeldLease, until: datetime) -> bool:
    result = cast(
        "CursorResult[object]",
        connection.execute(
            update(_table).where(_table.c.name == held.name, _table.c.owner == held.owner).values(until=until)
        ),
    )
    return result.rowcount == 1


def is_taken(session: Session, name: str, now: datetime) -> bool:
    """Return whether a worker holds the lease."""
    return session.scalar(select(Lease.name).where(Lease.name == name, Lease.until > now)) is not None
