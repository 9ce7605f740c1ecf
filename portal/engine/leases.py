"""Leases: one worker at a time. A lease is a row, taken by a conditional update and renewed while its owner runs.

A lease is also a fence: every commit of leased work updates the lease's row in the same transaction, on condition that
it is still the owner's. So a worker that was suspended past its lease, and whose work another worker has taken over,
can't commit anything. The row stays locked until the commit, so nobody takes the lease between the proof and the
commit. The update also renews the lease. A transaction that only read needs no proof.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import uuid
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult, Engine, Table, case, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from portal.clock import utc_now
from portal.engine.fence import guarded
from portal.models import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEW_EVERY = 8.0
"""Seconds without a renewal after which the renewing thread renews the lease."""
TRY_EVERY = 0.5
"""Seconds between tries while another owner holds the lease."""

_table = cast("Table", Lease.__table__)
_NOBODY = ""
"""The owner of a released lease: a renewal still in flight then changes nothing."""


class LeaseKind(StrEnum):
    """Work that only one worker at a time may do, for a store (READ, DRY_RUN) or for a merchant (SUBMIT, TRACK)."""

    READ = "read"
    SUBMIT = "submit"
    TRACK = "track"
    DRY_RUN = "rehearse"

    def of(self, store_or_merchant_id: int) -> str:
        """Return the name of the lease for this store or merchant."""
        return f"{self}:{store_or_merchant_id}"


class LeaseError(Exception):
    """The work under a lease didn't happen or didn't finish. The message is the lease's name."""


class LeaseTakenError(LeaseError):
    """Another worker holds the lease."""


class LeaseLostError(LeaseError):
    """This worker no longer holds the lease: what it was about to commit is rolled back."""


class HeldLease:
    """A lease that this worker holds. ``owner`` marks the orders claimed under it."""

    def __init__(self, name: str, owner: str) -> None:
        self.name = name
        self.owner = owner
        self.ends = False
        """Whether the next commit releases it."""
        self._lost = threading.Event()
        self._proved_at: datetime | None = None
        self.renewed(utc_now())

    def renewed(self, at: datetime) -> None:
        self.renewed_at, self.until = at, at + LEASE

    @property
    def lost(self) -> bool:
        """Whether another worker may have taken it over.

        True as soon as it expires, even if the process was suspended and the renewing thread has not run again yet.
        """
        return self.is_marked_lost or utc_now() >= self.until

    @property
    def is_marked_lost(self) -> bool:
        return self._lost.is_set()

    def mark_lost(self) -> None:
        """Record the loss, for good, and log it once."""
        if not self.is_marked_lost:
            self._lost.set()
            log.warning("lease.lost", extra={"lease": self.name})

    def before_commit(self, connection: Connection, *, has_written: bool) -> None:
        """Renew or release it in the transaction that is about to commit. Raises LeaseLostError."""
        now = utc_now()
        self._proved_at = None
        if self.ends:
            is_ours = _release(connection, self, now)
        elif has_written:
            is_ours = _extend(connection, self, now)
        else:
            return
        if is_ours:
            self._proved_at = now
            return
        self.mark_lost()
        if has_written:
            raise LeaseLostError(self.name)

    def after_commit(self) -> None:
        if self._proved_at is not None and not self.ends:
            self.renewed(self._proved_at)


@contextmanager
def leased(
    session: Session, name: str, *, wait: float = 0.0, waiting: Callable[[], None] | None = None
) -> Iterator[HeldLease]:
    """Hold the lease ``name`` for the block. Every commit of ``session`` in the block renews it.

    A thread renews it between commits while this process runs; a dead owner's lease expires 30 seconds after its last
    renewal. At the end of the block, one commit saves what is not committed yet and releases the lease; after an
    exception, it is rolled back.

    Raises LeaseTakenError if another owner still holds the lease after ``wait`` seconds; ``waiting`` is called once if
    it has to wait. Once another worker has taken it over, every commit raises LeaseLostError. So does the loss of the
    database connection once the lease has expired, which is how PostgreSQL ends the transaction of a suspended process.
    """
    engine = cast("Engine", session.get_bind())
    session.commit()
    held = HeldLease(name, uuid.uuid4().hex)
    _take_within(engine, held, wait, waiting)
    stop = threading.Event()
    renewer = threading.Thread(
        target=contextvars.copy_context().run, args=(_renew, engine, held, stop), name=f"lease {name}", daemon=True
    )
    renewer.start()
    is_released = False
    try:
        with guarded(session, held):
            try:
                yield held
                stop.set()
                held.ends = True
                session.connection()
                session.commit()
                is_released = True
            finally:
                session.rollback()
    except DBAPIError as error:
        if not (error.connection_invalidated and held.lost):
            raise
        held.mark_lost()
        raise LeaseLostError(name) from error
    finally:
        stop.set()
        renewer.join()
        if not (is_released or held.is_marked_lost):
            with engine.begin() as connection:
                _release(connection, held, utc_now())


def _take_within(engine: Engine, held: HeldLease, wait: float, waiting: Callable[[], None] | None) -> None:
    pause = threading.Event()
    deadline = utc_now() + timedelta(seconds=wait)
    while not _take(engine, held):
        if utc_now() >= deadline:
            raise LeaseTakenError(held.name)
        if waiting:
            waiting()
            waiting = None
        pause.wait(TRY_EVERY)


def _take(engine: Engine, held: HeldLease) -> bool:
    now = utc_now()
    held.renewed(now)
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
    pause = RENEW_EVERY
    while not stop.wait(pause):
        now = utc_now()
        since = (now - held.renewed_at).total_seconds()
        if 0 <= since < RENEW_EVERY:
            pause = RENEW_EVERY - since
            continue
        pause = RENEW_EVERY
        try:
            with engine.begin() as connection:
                still_ours = _extend(connection, held, now)
        except SQLAlchemyError:
            log.warning("lease.not_renewed", extra={"lease": held.name}, exc_info=True)
            # A failed renewal may have taken longer than the lease lasts.
            still_ours = not held.lost
        else:
            if still_ours:
                held.renewed(now)
        if stop.is_set():
            return
        if not still_ours:
            held.mark_lost()
            return


def _extend(connection: Connection, held: HeldLease, now: datetime) -> bool:
    """Renew the lease in this transaction. Return whether it is still ours.

    Never shortens it: the renewing thread may have waited for a commit that renewed it later.
    """
    until = now + LEASE
    return _set(connection, held, until=case((_table.c.until > until, _table.c.until), else_=until))


def _release(connection: Connection, held: HeldLease, now: datetime) -> bool:
    return _set(connection, held, owner=_NOBODY, until=now)


def _set(connection: Connection, held: HeldLease, **values: object) -> bool:
    ours = (_table.c.name == held.name, _table.c.owner == held.owner)
    return cast("CursorResult[object]", connection.execute(update(_table).where(*ours).values(**values))).rowcount == 1


def is_taken(session: Session, name: str, now: datetime) -> bool:
    """Return whether a worker holds the lease."""
    return session.scalar(select(Lease.name).where(Lease.name == name, Lease.until > now)) is not None
